/**
 * Sources of the gateway's own interface: what its answers are made of.
 * Decides that the interface reads and never writes: tables, configuration, and three questions to
 * the running stages that no table answers.
 */
import type { GatewayDatabase } from '@aifi/gateway-database';
import type { Clock } from '@aifi/shared-kernel';
import type { GatewayConfig } from './gateway-config.js';
import type { HubLink } from './hub-link.js';
import type { Pipeline } from './pipeline.js';

export interface GatewaySources extends Pick<Pipeline, 'currentRules' | 'pacsState'> {
  readonly database: GatewayDatabase;
  readonly config: Pick<GatewayConfig, 'siteId' | 'purpose' | 'dataFolder' | 'deadlines'>;
  readonly clock: Clock;
  readonly linkState: HubLink['state'];
}
