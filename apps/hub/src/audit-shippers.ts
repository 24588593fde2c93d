/**
 * Where the hub's audit trail goes besides its own database.
 * Decides how the hub names itself in renderings of its records, and that a syslog receiver of the
 * organisation, where one is configured, gets each of them. Source: PS3.15 A.5; RFC 5424, 5425.
 */
import { hostname } from 'node:os';
import { createAuditShipper, type AuditSource } from '@aifi/access-audit';
import type { Stage } from '@aifi/shared-kernel';
import type { HubConfig } from './hub-config.js';
import type { HubParts } from './hub-parts.js';

export const auditSourceOf = ({ publicUrl }: Pick<HubConfig, 'publicUrl'>): AuditSource => ({
  ...{ sourceId: 'hub', enterpriseSiteId: 'hub', serverAddress: publicUrl },
});

/** One stage for each receiver: one or none. */
export function auditShippers({ config, access, clock, logger }: HubParts): Stage[] {
  const destination = config.audit.syslog;
  if (!destination) return [];
  const sender = { hostName: hostname(), appName: 'aifi-hub' };
  const shipper = createAuditShipper({
    ...{ destination, sender, clock, logger },
    ...{ reader: access.audit, position: access.shipping, source: auditSourceOf(config) },
  });
  return [shipper];
}
