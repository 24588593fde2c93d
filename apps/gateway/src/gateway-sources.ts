/**
 * Sources of the gateway's own interface: what its answers are made of.
 * Decides that the interface never writes to the pipeline: it reads tables and configuration, asks
 * the running stages three questions that no table answers, and acts in access.db alone.
 */
import type { ChangeBell } from '@aifi/access-web';
import type { GatewayAccess, PatientSource } from '@aifi/gateway-access';
import type { Logger } from '@aifi/shared-observability';
import type { GatewayDatabase } from '@aifi/gateway-database';
import type { Vault } from '@aifi/gateway-vault';
import type { Clock } from '@aifi/shared-kernel';
import type { GatewayConfig } from './gateway-config.js';
import type { HubLink } from './hub-link.js';
import type { Pipeline } from './pipeline.js';

/** Token of GatewaySources. */
export const SOURCES = Symbol('sources');

export interface GatewaySources extends Pick<Pipeline, 'currentRules' | 'pacsState'> {
  readonly database: GatewayDatabase;
  readonly vault: Pick<Vault, 'linkage' | 'currentIdentity'>;
  readonly access: GatewayAccess;
  readonly patients: PatientSource;
  readonly changes: ChangeBell;
  /** Verifies the gateway's own anchors. */
  readonly auditPublicKeyPem: string;
  readonly config: Pick<
    GatewayConfig,
    'siteId' | 'purpose' | 'publicUrl' | 'dataFolder' | 'deadlines'
  >;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly linkState: HubLink['state'];
}
