/** DICOMweb: a PACS as the DIMSE one is, and what a server that takes objects reads and answers. */
export * from './dicom-web-archive.js';
export * from './dicom-web-pacs.js';
export { WebStatus } from './store-answer.js';
export type { DicomWebTls, WebClientOptions } from './web-client.js';
export { acceptsJson, parseMediaType, type MediaType } from './media-type.js';
export { MultipartReader, type MultipartEvent, type MultipartLimits } from './multipart-reader.js';
export { StoreOutcomes, type InstanceName } from './store-outcomes.js';
export { readStoreAnswer, type FailedInstance } from './store-reading.js';
