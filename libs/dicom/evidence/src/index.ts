/** Result objects: reports (SR, TID 1500), captures (SC), segmentations (SEG), their checker. */
export { SECONDARY_CAPTURE } from './capture-page.js';
export { buildTissueCapture, type TissueCaptureInput } from './tissue-capture.js';
export {
  buildBoxesCapture,
  PICTURES_MAX,
  shownInstances,
  type BoxesPicture,
} from './boxes-capture.js';
export { COMPREHENSIVE_3D_SR } from './report-document.js';
export { buildVolumeReport } from './volume-report.js';
export { buildDetectionReport, DETECTIONS_MAX } from './detection-report.js';
export { checkReport, type ReportProblem } from './report-checker.js';
export {
  buildSegmentation,
  SEGMENTATION_STORAGE,
  type Segmentation,
  type SegmentationInput,
} from './segmentation.js';
export { slicePlane, type SlicePlane } from './slice-placement.js';
export { createMinter, type MintedUid, type Minter } from './minter.js';
export {
  SOURCE_INSTANCES_MAX,
  type Detection,
  type EarlyImages,
  type EvidenceContext,
  type EvidenceLanguage,
  type ManifestClass,
  type Mint,
  type SourceInstance,
  type VolumeMeasurement,
} from './evidence-context.js';
export type { ConformedVolume } from './orthogonal-slices.js';
export {
  buildStatusReport,
  STATUS_IMAGES_MAX,
  type ReplacedStatus,
  type StatusProduct,
  type StatusReport,
} from './status-report.js';
export { STATUS_CONTRIBUTION, STATUS_SERIES_NUMBER, type StatusContext } from './status-modules.js';
export { negativeScopeOf, type NegativeScope } from './status-negative-scope.js';
export type { StatusFacts, StatusState } from './status-texts.js';
