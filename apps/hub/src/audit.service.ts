/**
 * AuditService: search, export and anchors of the trail, within the caller's reach.
 * Decides whose chains are read: a hospital's own, all of them, or only what the caller did. An
 * export is streamed at the speed of its reader, few at a time, and cut when the reader stalls.
 * Invariant: the record of an export is durable before its first byte leaves.
 * Source: security specification 5 (audit), 7 (V4, formula injection in exports).
 */
import { createPublicKey } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { exportHeaders, renderAudit, type AuditReach } from '@aifi/access-audit';
import type { AuditSubject, Caller } from '@aifi/access-web';
import type { auditRoutes, RouteInput, RouteOutput } from '@aifi/contracts-rest';
import { AifiError } from '@aifi/shared-kernel';
import { auditSourceOf } from './audit-shippers.js';
import { HUB_PARTS, type HubParts } from './hub-parts.js';
import { sendSlowly, type SlowResponse } from '@aifi/access-web';

type Routes = typeof auditRoutes;

/** Exports at a time: each holds one batch of records and no transaction. */
const EXPORTS_MAX = 2;

@Injectable()
export class AuditService {
  #exports = 0;
  readonly #publicKeyPem: string;

  constructor(@Inject(HUB_PARTS) private readonly parts: HubParts) {
    const publicKey = createPublicKey(parts.signingKey);
    this.#publicKeyPem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
  }

  search(
    caller: Caller,
    { query }: RouteInput<Routes['searchAudit']>,
  ): Promise<RouteOutput<Routes['searchAudit']>> {
    const { siteId, ...filter } = query;
    const reach = reachOf(caller, siteId);
    caller.about(subjectOf(reach, filter));
    return this.parts.access.audit.search({ ...filter, ...reach });
  }

  /** Streams the answer; resolves when it has left, or was cut. */
  async export(
    caller: Caller,
    { query }: RouteInput<Routes['exportAudit']>,
    response: SlowResponse,
  ): Promise<void> {
    const { siteId, format, ...filter } = query;
    const reach = reachOf(caller, siteId);
    const subject = subjectOf(reach, { ...filter, format });
    caller.about(subject);
    if (this.#exports >= EXPORTS_MAX) {
      throw new AifiError('LIMIT_EXCEEDED', 'other exports are under way');
    }
    this.#exports += 1;
    try {
      await caller.record(subject);
      const { access, clock, config, logger } = this.parts;
      const records = access.audit.stream({ ...filter, ...reach });
      const chunks = renderAudit(format, records, auditSourceOf(config));
      await sendSlowly(response, { headers: exportHeaders(format), chunks, clock, logger });
    } finally {
      this.#exports -= 1;
    }
  }

  async anchors(caller: Caller): Promise<RouteOutput<Routes['auditAnchors']>> {
    const own = caller.sites();
    const only = own?.length === 1 ? own[0] : undefined;
    const anchors = await this.parts.access.audit.anchors(only);
    return {
      publicKeyPem: this.#publicKeyPem,
      anchors: anchors.filter(({ chain }) => !own || own.some((site) => chain === `hub:${site}`)),
    };
  }
}

/** Chains of the sites that were asked for and may be read; or only what the caller did. */
function reachOf(caller: Caller, asked: string | undefined): AuditReach {
  const { reach } = caller.allowed;
  if (reach.kind !== 'acts') return { siteIds: caller.sites(asked) };
  if (asked === undefined) return { onlyUserId: reach.userId };
  throw new AifiError('NOT_FOUND', 'there is no such object');
}

function subjectOf(
  { siteIds }: AuditReach,
  filter: Readonly<Record<string, unknown>>,
): AuditSubject {
  const asked = Object.entries(filter).filter(
    ([name, value]) => value !== undefined && name !== 'cursor',
  );
  const detail = Object.fromEntries(asked) as NonNullable<AuditSubject['detail']>;
  const objectId = siteIds?.join(' ') ?? 'all';
  return { objectType: 'audit', objectId, ...recordSite(siteIds), detail };
}

/** The chain of a record about one site is that site's own; about several, the one across sites. */
export function recordSite(siteIds: readonly string[] | undefined): { siteId?: string } {
  const [siteId, ...others] = siteIds ?? [];
  return siteId === undefined || others.length > 0 ? {} : { siteId };
}
