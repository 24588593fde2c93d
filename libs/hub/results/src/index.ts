/** Results: inference records to signed outcomes with SR, Secondary Capture and segmentation. */
export {
  createResultsStage,
  resultsConfigSchema,
  type ResultsDependencies,
} from './results-stage.js';
