/** DICOMweb client: a PACS behind STOW-RS and QIDO-RS, in the shape of the DIMSE one. */
export * from './dicom-web-pacs.js';
export { WebStatus } from './store-answer.js';
export type { DicomWebTls, WebClientOptions } from './web-client.js';
