/**
 * GatewayAccess: the stores of access.db, opened together.
 * Decides nothing; the application wires what is here and knows none of its tables.
 */
import type { Clock } from '@aifi/shared-kernel';
import { AccessDatabase } from './access-database.js';
import { GatewayActStore } from './act.store.js';
import { AlertStore } from './alert.store.js';
import { GatewayApprovalStore } from './approval.store.js';
import { AuditTrail } from './audit-trail.js';
import { HubAnchorStore } from './hub-anchor.store.js';
import { PatientFlagStore } from './patient-flag.store.js';
import { GatewaySessionStore } from './session.store.js';
import { GatewayShippingPosition } from './shipping-position.store.js';

export interface GatewayAccess {
  readonly database: AccessDatabase;
  readonly trail: AuditTrail;
  readonly sessions: GatewaySessionStore;
  readonly approvals: GatewayApprovalStore;
  readonly acts: GatewayActStore;
  readonly flags: PatientFlagStore;
  readonly alerts: AlertStore;
  readonly hubAnchors: HubAnchorStore;
  readonly shipped: GatewayShippingPosition;
}

export function openGatewayAccess(options: {
  readonly path: string;
  readonly siteId: string;
  readonly clock: Clock;
}): GatewayAccess {
  const { path, siteId, clock } = options;
  const database = AccessDatabase.open(path);
  const trail = new AuditTrail({ database, siteId, clock });
  return {
    database,
    trail,
    sessions: new GatewaySessionStore(database, trail),
    approvals: new GatewayApprovalStore(database, siteId),
    acts: new GatewayActStore(database, trail, clock),
    flags: new PatientFlagStore(database),
    alerts: new AlertStore(database),
    hubAnchors: new HubAnchorStore(database, clock),
    shipped: new GatewayShippingPosition(database),
  };
}
