/** DIMSE: the store SCP behind our PDU normaliser, and the SCU that talks to a PACS. */
export * from './ae-title.js';
export * from './context-probe.js';
export type { DatasetSource } from './dataset-fragments.js';
export { chunksOf } from './dataset-fragments.js';
export * from './dimse-scu.js';
export * from './dimse-status.js';
export type { ProposedContext } from './associate.js';
export { decodeAssociateRequest, type AssociateRequest } from './associate-request.js';
export { isKnownCaller, type AllowedCaller, type PeerIdentity } from './caller-check.js';
export {
  COMMAND_FIELD,
  decodeCommand,
  type DimseCommand,
  type SubOperations,
} from './command-set.js';
export type { CommitmentReception } from './commitment-reception.js';
export type { FoundMatches } from './find-exchange.js';
export { ConnectionWatch, PROGRESS_WINDOW_MS } from './connection-watch.js';
export { isCarried, isStorageSopClass, type Identifier } from './library-scp.js';
export * from './peer-fault.js';
export * from './request-deadline.js';
export type { RetrieveOutcome, RetrieveTarget } from './retrieve-exchange.js';
export * from './retrieve-scu.js';
export * from './retrieve-status.js';
export { PduNormaliser, type AcceptedContext, type UpperLayerEvent } from './pdu-normaliser.js';
export type { FindHandler, RefusalListener, ScpRefusal } from './scp-connection.js';
export type { StoreHandler, StoreRequest, StoreSink } from './store-exchange.js';
export type { ScuPeer } from './scu-association.js';
export {
  connectionFault,
  serverIdentity,
  TLS_CIPHERS,
  type PeerAddress,
  type PeerTls,
} from './scu-socket.js';
export * from './storage-commitment.js';
export * from './store-scp.js';
export * from './study-listing.js';
