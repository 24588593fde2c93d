/**
 * Decision: one product and one revision, from the facts to a verdict and a lane.
 * Decides what the engine does not: a series of which an instance came twice with other bytes is
 * not used, a product that waits to be asked for waits, and what is acute goes ahead.
 * Invariants: the engine's verdict is never softened; the lane never changes whether it runs.
 * Source: governance specification 4.3; reliability specification P0 (conflicting instances).
 */
import type { DeployedProduct } from '@aifi/contracts-manifests';
import type { Sql } from '@aifi/gateway-database';
import {
  evaluateStudy,
  reasonOf,
  type Denied,
  type Reason,
  type StudyFacts,
  type StudyVerdict,
} from '@aifi/policy-routing-rules';
import { REASON_CODES } from '@aifi/shared-kernel';
import { HOSPITAL_WORD } from './hospital-word.js';
import { readStudy, type KnownStudy, type RevisionKey } from './study-facts.js';
import type { SiteContext } from './verified-rules.js';

/** A revision as it is judged: once read, for every product. */
export interface JudgedStudy extends KnownStudy {
  /** Series of which neither copy of an instance is known to be the right one. */
  readonly conflicting: ReadonlySet<string>;
  readonly atMs: number;
}
export interface Decision {
  readonly product: DeployedProduct;
  readonly verdict: StudyVerdict;
  readonly lane: DeployedProduct['lane'];
}

export function readForDecision(
  sql: Sql,
  key: RevisionKey,
  { word = HOSPITAL_WORD }: SiteContext,
  atMs: number,
): JudgedStudy {
  return { ...readStudy(sql, key, word, atMs), conflicting: conflicting(sql, key), atMs };
}

export function decide(
  product: DeployedProduct,
  study: JudgedStudy,
  { purpose, stops, acuteSenders = new Set() }: SiteContext,
): Decision {
  const { facts, conflicting: held, atMs: nowMs } = study;
  const verdict = evaluateStudy(product, facts, {
    ...{ sitePurpose: purpose, nowMs },
    ...(stops && { stops: stops() }),
  });
  const isAcute =
    study.priority === 'acute' || [...study.senders].some((title) => acuteSenders.has(title));
  const lane = isAcute ? 'acute' : (study.lanes.get(product.product) ?? product.lane);
  const asked = withRequest(withoutConflict(verdict, held), product, facts);
  return { product, verdict: asked, lane };
}

const UNASKED: Reason = {
  ...{ code: 'NO_PRODUCT', rule: 'gate.manual' },
  words: {
    en: 'runs only when it is asked for by name',
    nl: 'draait alleen als er bij naam om gevraagd wordt',
  },
};

/** It is told nowhere but here: of a product that nobody asked for nothing was expected. */
function withRequest(
  verdict: StudyVerdict,
  { product, manualOnly }: DeployedProduct,
  { requested }: StudyFacts,
): StudyVerdict {
  if (manualOnly !== true || requested.includes(product)) return verdict;
  return declined(verdict, [UNASKED, ...(verdict.allow ? [] : verdict.reasons)]);
}

function withoutConflict(verdict: StudyVerdict, held: ReadonlySet<string>): StudyVerdict {
  if (!verdict.allow || !held.has(verdict.seriesUid)) return verdict;
  return declined(verdict, [
    reasonOf('CONFLICTING_INSTANCE', 'one SOP Instance UID, different bytes'),
  ]);
}

function declined(verdict: StudyVerdict, reasons: Denied['reasons']): Denied {
  const { attestations, notes, dataQuality } = verdict;
  const [decisive] = reasons;
  const { state } = REASON_CODES[decisive.code];
  return { allow: false, state, decisive, reasons, attestations, notes, dataQuality };
}

/** In this study or, under the same UID, in another one. */
function conflicting(sql: Sql, { studyId, revision }: RevisionKey): ReadonlySet<string> {
  const rows = sql.all<{ series_uid: string }>(
    `SELECT DISTINCT series_uid FROM revision_instance own
      WHERE study_id = ? AND of_revision = ? AND EXISTS (SELECT 1 FROM instance other
        WHERE other.sop_instance_uid = own.sop_instance_uid AND other.conflict = 1)`,
    ...[studyId, revision],
  );
  return new Set(rows.map((row) => row.series_uid));
}

/** For staff: every code with its words. */
export function reasonText(reasons: readonly Reason[]): string {
  return reasons.map(({ code, words }) => `${code}: ${words.en}`).join('; ');
}
