/** DIMSE: the store SCP behind our PDU normaliser, and the SCU that talks to a PACS. */
export * from './ae-title.js';
export * from './dimse-scu.js';
export * from './dimse-status.js';
export type { Identifier } from './library-scp.js';
export type {
  FindHandler,
  RefusalListener,
  ScpRefusal,
  StoreHandler,
  StoreRequest,
  StoreSink,
} from './scp-connection.js';
export * from './storage-commitment.js';
export * from './store-scp.js';
