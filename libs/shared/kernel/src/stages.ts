/**
 * The names of the stages, in the order of the data.
 * Decides the one spelling that folders, documents, journal rows and metrics share.
 * Invariant: docs/architecture/2-data-path.md and apps/gateway/src/pipeline.ts use the same names
 * (a test compares them).
 */
export const GATEWAY_STAGES = [
  'receive',
  'assemble',
  'select',
  'pseudonymise',
  'spool',
  'uplink',
  'downlink',
  'reidentify',
  'deliver',
] as const;
export type GatewayStage = (typeof GATEWAY_STAGES)[number];

export const HUB_STAGES = ['ingest', 'route', 'infer', 'results', 'downlink'] as const;
export type HubStage = (typeof HUB_STAGES)[number];

/**
 * Why a deployment exists; a demonstration is marked on every object
 * (docs/architecture/1-context.md).
 */
export const PURPOSES = ['demonstration', 'clinical'] as const;
export type Purpose = (typeof PURPOSES)[number];
