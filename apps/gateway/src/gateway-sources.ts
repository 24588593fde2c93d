/**
 * Sources of the gateway's own interface: what its answers are made of.
 * Decides that the interface does not write to the pipeline, but for two things: a person has dead
 * letters sent again, through the store of the deliver stage, or has images released, rejected or
 * tried again, through the journal's own ways. Objections and the procedure catalogue are written
 * by their own libraries. Else it reads tables and configuration, asks the
 * running parts what no table answers, and acts in access.db alone.
 */
import type { ChangeBell } from '@aifi/access-web';
import type { GatewayAccess, PatientSource } from '@aifi/gateway-access';
import type { Logger } from '@aifi/shared-observability';
import type { Catalogue, OrderCodes } from '@aifi/gateway-catalogue';
import type { ObjectionRegister } from '@aifi/gateway-consent';
import type { GatewayDatabase } from '@aifi/gateway-database';
import type { DeadLetterStore } from '@aifi/gateway-deliver';
import type { DiskWatch } from '@aifi/gateway-disk';
import type { IdentityEventLog, Vault } from '@aifi/gateway-vault';
import type { Clock } from '@aifi/shared-kernel';
import type { FolderState } from './folder-batches.parts.js';
import type { GatewayConfig } from './gateway-config.js';
import type { HubLink } from './hub-link.js';
import type { Pipeline } from './pipeline.js';
import type { Reconcile } from './reconcile.parts.js';
import type { Retrieving } from '@aifi/gateway-retrieve';
import type { Setup } from './setup.parts.js';
import type { VaultForPeople } from './vault-for-people.js';

/** Token of GatewaySources. */
export const SOURCES = Symbol('sources');

export interface GatewaySources extends Pick<
  Pipeline,
  'currentRules' | 'killState' | 'pacsState' | 'ringDeliver' | 'ringPseudonymise' | 'uplinkState'
> {
  readonly database: GatewayDatabase;
  readonly deadLetters: Pick<DeadLetterStore, 'list' | 'count' | 'replay' | 'replayAll'>;
  /** Undefined until the first look has succeeded. */
  readonly diskState: DiskWatch['state'];
  /** Undefined where no folder is configured. */
  readonly folderState: FolderState;
  readonly vault: Pick<Vault, 'linkage' | 'currentIdentity'> & VaultForPeople;
  readonly identityEvents: Pick<IdentityEventLog, 'erase'>;
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
  readonly link: Pick<HubLink, 'view' | 'join'>;
  readonly catalogue: Pick<Catalogue, 'versions' | 'plan' | 'apply' | 'rollBack' | 'export'>;
  /** Of the orders of the hospital; undefined: they are not known here. */
  readonly orderCodes?: OrderCodes | undefined;
  readonly objections: Pick<
    ObjectionRegister,
    'keysOf' | 'stateOf' | 'carryOut' | 'checkList' | 'importList'
  >;
  /** What should have come, the clock, digests and invariants. */
  readonly reconcile: Reconcile;
  /** Studies that are fetched from the PACS. */
  readonly retrieval: Pick<Retrieving, 'store' | 'queue' | 'withdraw' | 'studiesOf'>;
  /** Checks of the PACS, settings that people change, the probe. */
  readonly setup: Setup;
}
