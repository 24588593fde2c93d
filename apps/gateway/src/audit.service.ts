/**
 * AuditService: search, export, anchors, and the extract for a patient, of the gateway's own trail.
 * Decides what of a record a reader sees: who may not export the trail sees no patient number in
 * it, or the log would show what the list masks. Invariants: the record of an export is durable
 * before its first byte leaves; a reader that stalls is cut, never closed as if the export were
 * whole.
 * Source: security specification 5 (audit); NEN 7513.
 */
import { Inject, Injectable } from '@nestjs/common';
import { decide, type Principal } from '@aifi/access-authorisation';
import { exportHeaders, patientExtract, renderAudit, type AuditSource } from '@aifi/access-audit';
import type { AuditSubject, Caller } from '@aifi/access-web';
import type { AuditRecord, gatewayRoutes, RouteInput, RouteOutput } from '@aifi/contracts-rest';
import { PATIENTS_DETAIL } from '@aifi/gateway-access';
import { AifiError } from '@aifi/shared-kernel';
import { SOURCES, type GatewaySources } from './gateway-sources.js';
import { sendSlowly, type SlowResponse } from '@aifi/access-web';

type Routes = typeof gatewayRoutes;
/** Exports at a time: each holds one batch of records. */
const EXPORTS_MAX = 2;

@Injectable()
export class AuditService {
  #exports = 0;

  constructor(@Inject(SOURCES) private readonly sources: GatewaySources) {}

  async search(
    caller: Caller,
    { query }: RouteInput<Routes['searchAudit']>,
  ): Promise<RouteOutput<Routes['searchAudit']>> {
    const { trail } = this.sources.access;
    const onlyUserId = this.#reachOf(caller, query.siteId);
    caller.about(this.#subjectOf(query));
    const { items, nextCursor } = await trail.search({ ...query, onlyUserId });
    const isWhole = maySeeNumbers(caller.principal);
    return { items: isWhole ? items : items.map(withoutPatient), nextCursor };
  }

  /** Streams the answer; resolves when it has left, or was cut. */
  async export(
    caller: Caller,
    { query }: RouteInput<Routes['exportAudit']>,
    response: SlowResponse,
  ): Promise<void> {
    const { format, ...filter } = query;
    const onlyUserId = this.#reachOf(caller, query.siteId);
    const subject = this.#subjectOf(query);
    caller.about(subject);
    if (this.#exports >= EXPORTS_MAX) {
      throw new AifiError('LIMIT_EXCEEDED', 'other exports are under way');
    }
    this.#exports += 1;
    try {
      await caller.record(subject);
      const { access, clock, logger } = this.sources;
      const records = access.trail.stream({ ...filter, onlyUserId });
      const chunks = renderAudit(format, records, this.#source());
      await sendSlowly(response, { headers: exportHeaders(format), chunks, clock, logger });
    } finally {
      this.#exports -= 1;
    }
  }

  async anchors(caller: Caller): Promise<RouteOutput<Routes['auditAnchors']>> {
    this.#reachOf(caller, undefined);
    const { access, auditPublicKeyPem: publicKeyPem } = this.sources;
    return { publicKeyPem, anchors: [...(await access.trail.anchors())] };
  }

  extract(
    caller: Caller,
    { body }: RouteInput<Routes['patientExtract']>,
  ): RouteOutput<Routes['patientExtract']> {
    const { access, config } = this.sources;
    const { patientId, language } = body;
    caller.requireSite(config.siteId);
    caller.about({ objectType: 'audit', objectId: 'patient-extract', patientId });
    const records = access.trail.about(patientId);
    return { text: patientExtract(records, language, config.siteId), records };
  }

  /** Whose acts only; undefined: everybody's. NOT_FOUND for another site. */
  #reachOf(caller: Caller, asked: string | undefined): string | undefined {
    const { siteId } = this.sources.config;
    const { reach } = caller.allowed;
    if (asked !== undefined && asked !== siteId) {
      throw new AifiError('NOT_FOUND', 'there is no such object');
    }
    if (reach.kind === 'acts') return reach.userId;
    caller.requireSite(siteId);
    return undefined;
  }

  #subjectOf(filter: Readonly<Record<string, unknown>>): AuditSubject {
    const asked = Object.entries(filter).filter(
      ([name, value]) => value !== undefined && name !== 'cursor',
    );
    const detail = Object.fromEntries(asked) as NonNullable<AuditSubject['detail']>;
    return { objectType: 'audit', objectId: this.sources.access.trail.chain, detail };
  }

  #source(): AuditSource {
    const { siteId, publicUrl } = this.sources.config;
    return auditSourceOf(siteId, publicUrl);
  }
}

/** How this gateway names itself in renderings of its records. */
export const auditSourceOf = (siteId: string, serverAddress: string): AuditSource => ({
  ...{ sourceId: `gateway-${siteId}`, enterpriseSiteId: siteId, serverAddress },
});

/** Who may export the trail has every number anyway; the step-up of an export is no matter. */
function maySeeNumbers(principal: Principal): boolean {
  if (principal.kind !== 'person') return false;
  return decide({ ...principal, steppedUpAtMs: 0 }, 'audit.export', 0).ok;
}

function withoutPatient(record: AuditRecord): AuditRecord {
  const others = Object.entries(record.detail).filter(([name]) => name !== PATIENTS_DETAIL);
  return { ...record, patientId: null, detail: Object.fromEntries(others) };
}
