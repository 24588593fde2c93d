/**
 * RegisterService: the results register for a recall, and the erasure of a patient.
 * Decides the order of two databases, as for dead letters: record and order first, then the vault.
 * Two persons agree under a code of the patient, so that no number stands in a list of requests;
 * whoever has the number can compute the code and compare. Invariants: no patient attribute leaves;
 * nothing is erased without a grant in force and its record; an erasure carried out twice is one.
 * Source: results specification 4.1; security specification 5 (two persons); GDPR Art. 17.
 */
import { createHmac, randomBytes } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { csvCell } from '@aifi/access-audit';
import { sendSlowly, type Caller, type SlowResponse } from '@aifi/access-web';
import {
  REGISTER_COLUMNS,
  type gatewayRoutes,
  type RegisteredResultView,
  type RouteInput,
  type RouteOutput,
} from '@aifi/contracts-rest';
import { cursorOf, placeOf } from '@aifi/gateway-access';
import type { RegisteredResult } from '@aifi/gateway-vault';
import { AifiError, canonicalJson } from '@aifi/shared-kernel';
import { SOURCES, type GatewaySources } from './gateway-sources.js';

type Routes = typeof gatewayRoutes;
type RecallQuery = RouteInput<Routes['exportRecall']>['query'];
interface Patient {
  readonly patientId: string;
  readonly issuer: string;
}
/** Bits of a code: enough that nobody meets another patient's. */
const CODE_LENGTH = 24;
/** Lines of a file that are written at once. */
const LINES_MAX = 500;

@Injectable()
export class RegisterService {
  /** New at each start: a code is for one request of today, and leads nowhere without it. */
  readonly #codeKey = randomBytes(32);

  constructor(@Inject(SOURCES) private readonly sources: GatewaySources) {}

  recall(caller: Caller, { query }: RouteInput<Routes['recall']>): RouteOutput<Routes['recall']> {
    const { cursor, limit, ...asked } = query;
    const all = this.#recalled(caller, asked);
    const place = placeOf(cursor);
    const first = cursor === undefined ? 0 : all.findIndex((one) => isAfter(one, place));
    const rest = first < 0 ? [] : all.slice(first);
    const items = rest.slice(0, limit);
    const last = rest.length > limit ? items.at(-1) : undefined;
    const nextCursor = last
      ? cursorOf({ atMs: last.registeredAtMs, id: last.sopInstanceUid })
      : null;
    const studies = new Set(all.map(({ studyInstanceUid }) => studyInstanceUid)).size;
    return { items, nextCursor, total: all.length, studies };
  }

  /** Streams the answer; resolves when it has left, or was cut. */
  async exportRecall(
    caller: Caller,
    { query }: RouteInput<Routes['exportRecall']>,
    response: SlowResponse,
  ): Promise<void> {
    const { clock, logger } = this.sources;
    const all = this.#recalled(caller, query, { format: 'csv' });
    await caller.record(subjectOf(query, all, { format: 'csv' }));
    await sendSlowly(response, {
      headers: {
        'Content-Type': 'text/csv; charset=utf-8',
        'Content-Disposition': 'attachment; filename="results-register.csv"',
      },
      ...{ chunks: csvOf(all), clock, logger },
    });
  }

  async registered(
    caller: Caller,
    { params }: RouteInput<Routes['registeredResult']>,
  ): Promise<RegisteredResultView> {
    const { vault, patients, config } = this.sources;
    const objectId = params.sopInstanceUid;
    caller.requireSite(config.siteId);
    caller.about({ objectType: 'result', objectId });
    const found = vault.registeredResult(objectId);
    if (!found) throw new AifiError('NOT_FOUND', 'no such result in the register');
    const patientId = await patients.numberOf(found.studyUid);
    const { studyUid: study, jobId } = found;
    caller.about({ objectType: 'result', objectId, patientId, detail: { study, jobId } });
    return viewOf(found);
  }

  patientCode(
    caller: Caller,
    { body }: RouteInput<Routes['patientCode']>,
  ): RouteOutput<Routes['patientCode']> {
    const { vault, config } = this.sources;
    caller.requireSite(config.siteId);
    const patient = patientOf(body);
    const code = this.#codeOf(patient);
    const { patientId, issuer } = patient;
    const studies = vault.studiesOfPatient(patient).length;
    const plain = { patientId, issuer: '' };
    const studiesWithoutIssuer = issuer === '' ? 0 : vault.studiesOfPatient(plain).length;
    const detail = { studies, studiesWithoutIssuer };
    caller.about({ objectType: 'vault', objectId: code, patientId, detail });
    return { code, studies, studiesWithoutIssuer };
  }

  async erase(
    caller: Caller,
    input: RouteInput<Routes['erasePatient']>,
  ): Promise<RouteOutput<Routes['erasePatient']>> {
    const { access, vault, config, clock } = this.sources;
    const { siteId } = config;
    caller.requireSite(siteId);
    const patient = patientOf(input.body);
    const { reason, results } = input.body;
    // Who agrees sees in the code whether the register goes too.
    const code = this.#codeOf(patient);
    const objectId = results === 'erase' ? `${code}-with-results` : code;
    caller.about({ objectType: 'vault', objectId, reason });
    const atMs = clock.nowMs();
    const grant = await access.approvals.findGrant({
      ...{ act: caller.act, siteId, objectId, userId: caller.userId, nowMs: atMs },
    });
    if (!grant) throw new AifiError('APPROVAL_REQUIRED', 'a second person has not agreed to this');
    return access.acts.order(caller, input, {
      order: { ...patient, atMs },
      subject: {
        ...{ objectType: 'vault', objectId, patientId: patient.patientId, reason },
        responsibleUserId: grant.decidedBy?.id ?? null,
        detail: { approval: grant.id, results, studies: vault.studiesOfPatient(patient).length },
      },
      carryOut: async ({ atMs: orderedMs, ...who }: Patient & { readonly atMs: number }) => {
        const options = { results, actor: caller.userId };
        // Events first: a history is told anew from them.
        await this.sources.identityEvents.erase(who);
        return { code: objectId, ...(await vault.erasePatient(who, orderedMs, options)) };
      },
    });
  }

  /** Newest first. */
  #recalled(
    caller: Caller,
    { product, version }: RecallQuery,
    detail: Record<string, string> = {},
  ): RegisteredResultView[] {
    const { vault, config } = this.sources;
    caller.requireSite(config.siteId);
    const found = vault.recall({ product, ...(version !== undefined && { version }) });
    const all = found.map(viewOf).sort(newestFirst);
    caller.about(subjectOf({ product, version }, all, detail));
    return all;
  }

  #codeOf(patient: Patient): string {
    const hmac = createHmac('sha256', this.#codeKey).update(canonicalJson(patient));
    return hmac.digest('hex').slice(0, CODE_LENGTH);
  }
}

function subjectOf(
  { product, version }: RecallQuery,
  all: readonly RegisteredResultView[],
  more: Record<string, string>,
) {
  const detail = { product, ...(version !== undefined && { version }), results: all.length };
  return { objectType: 'result', objectId: '*', detail: { ...detail, ...more } };
}

const patientOf = ({
  patientId,
  issuer,
}: {
  patientId: string;
  issuer: string | null;
}): Patient => ({
  ...{ patientId, issuer: issuer ?? '' },
});

const viewOf = (one: RegisteredResult): RegisteredResultView => ({
  jobId: one.jobId,
  studyInstanceUid: one.studyUid,
  sopInstanceUid: one.resultSopInstanceUid,
  seriesInstanceUid: one.resultSeriesUid,
  sopClassUid: one.sopClassUid,
  product: one.product,
  productVersion: one.productVersion,
  modelDigest: one.modelDigest,
  issue: one.issue,
  revision: one.revision,
  studyDate: one.studyDate || null,
  registeredAtMs: one.registeredMs,
});

type Placed = Pick<RegisteredResultView, 'registeredAtMs' | 'sopInstanceUid'>;
const newestFirst = (a: Placed, b: Placed): number =>
  b.registeredAtMs - a.registeredAtMs || (a.sopInstanceUid < b.sopInstanceUid ? 1 : -1);
const isAfter = (one: Placed, { atMs, id }: { atMs: number; id: string | number }): boolean =>
  one.registeredAtMs < atMs || (one.registeredAtMs === atMs && one.sopInstanceUid < String(id));

async function* csvOf(all: readonly RegisteredResultView[]): AsyncGenerator<string> {
  yield lineOf(REGISTER_COLUMNS);
  for (let from = 0; from < all.length; from += LINES_MAX) {
    const lines = all.slice(from, from + LINES_MAX).map(({ registeredAtMs, ...one }) => {
      const row = { ...one, registeredAtMs: new Date(registeredAtMs).toISOString() };
      return lineOf(REGISTER_COLUMNS.map((column) => String(row[column] ?? '')));
    });
    yield lines.join('');
  }
}
const lineOf = (values: readonly string[]): string => `${values.map(csvCell).join(',')}\r\n`;
