/** The deliver stage: results into the PACS, verified there. */
export * from './deliver.config.js';
export {
  createDeliverStage,
  type DeliverDependencies,
  type DeliverStage,
  type PacsPeer,
} from './deliver-stage.js';
