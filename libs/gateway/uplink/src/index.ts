/** Uplink stage of the gateway: spooled studies to the hub. */
export { uplinkConfigSchema, type UplinkConfig } from './uplink-config.js';
export { LINK_BACK_MS_MAX, LinkGate } from './link-gate.js';
export { OBJECTS_LOOK_MS } from './objects/object-connection.js';
export {
  createUplinkStage,
  LINK_LOOK_MS,
  type UplinkDependencies,
  type UplinkStage,
  type UplinkState,
} from './uplink-stage.js';
export type { SelectAgain } from './uplink-store.js';
export { answerOf, type UplinkAnswer, type UplinkPort } from './uplink-port.js';
export { createGrpcUplinkPort } from './grpc-uplink-port.js';
export type { ObjectBatch, ObjectTransport, OwedObject, SendEnd } from './object-transport.js';
export { createGrpcObjectTransport } from './grpc-object-transport.js';
export {
  TlsObjectTransport,
  type ClosableTransport,
  type TlsTransportOptions,
} from './objects/tls-object-transport.js';
