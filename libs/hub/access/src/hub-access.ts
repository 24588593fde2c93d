/**
 * HubAccess: everything that access keeps at the hub, over one database.
 * Decides nothing itself: it gives sign-in, approvals, the web edge and audit their stores.
 * Invariant: each change and its record are one transaction of the role aifi_access, which sees no
 * study. Source: reliability specification C3, H17, H18.
 */
import type { Clock } from '@aifi/shared-kernel';
import type { HubDatabase } from '@aifi/hub-database';
import { HubActStore } from './act-store.js';
import { HubApprovalStore } from './approval-store.js';
import { HubAuditStore, HubShippingPosition } from './audit-store.js';
import { HubSessionStore } from './session-store.js';

export class HubAccess {
  readonly sessions: HubSessionStore;
  readonly approvals: HubApprovalStore;
  /** ActStore, and AuditSink for reads and refusals. */
  readonly acts: HubActStore;
  readonly audit: HubAuditStore;
  readonly shipping: HubShippingPosition;

  constructor({ database, clock }: { readonly database: HubDatabase; readonly clock: Clock }) {
    this.sessions = new HubSessionStore(database, clock);
    this.approvals = new HubApprovalStore(database);
    this.acts = new HubActStore(database, clock);
    this.audit = new HubAuditStore(database);
    this.shipping = new HubShippingPosition(database);
  }
}
