/**
 * ReferenceModel: what must be true, whatever happened.
 * Decides by a few maps beside the system: which instances were accepted, which results a PACS was
 * given, which bytes the hub was given. Whatever contradicts them is a violation, at once or at the
 * end, when all faults are over and everything had time to heal.
 * Source: reliability specification 2 (invariants), 3 (nothing lost, doubled or misdelivered).
 */
import type { World } from './world.js';

export interface ResultInPacs {
  readonly site: string;
  readonly studyUid: string;
  readonly patientId: string;
  readonly sopInstanceUid: string;
  /** What the pixels of the result say. */
  readonly saidSite: string;
  readonly saidStudy: string;
  readonly revision: number;
  readonly product: string;
  readonly digest: string;
}

export class ReferenceModel {
  readonly violations: string[] = [];
  /** Per site: instances that were answered with Success, by SOP Instance UID. */
  readonly accepted = new Map<string, Map<string, string>>();
  /** Per site, study and product: revisions in the order in which the PACS got them. */
  readonly #delivered = new Map<string, number[]>();
  /** Results in the PACS by site, study, product and revision. */
  readonly #results = new Map<string, ResultInPacs>();
  /** Jobs that a fault of the hub, of the vault or of the PACS may rightly have stopped. */
  readonly #excused = new Map<string, string>();
  readonly #strangers = new Set<string>();
  readonly #toStop = new Map<string, string>();

  constructor(private readonly world: World) {}

  violated(what: string): void {
    if (this.violations.includes(what)) return;
    this.world.note(`VIOLATION ${what}`);
    this.violations.push(what);
  }

  acceptedInstance(site: string, sopInstanceUid: string, sha256: string): void {
    const ofSite = this.accepted.get(site) ?? new Map<string, string>();
    this.accepted.set(site, ofSite.set(sopInstanceUid, sha256));
  }

  /** From here on this job need not end with a result. */
  excuse(site: string, jobId: string, why: string): void {
    this.#excused.set(`${site}/${jobId}`, why);
  }
  /** The PACS shows this study under somebody of whom nobody has spoken. */
  excuseStudy(site: string, studyUid: string): void {
    this.#strangers.add(`${site}/${studyUid}`);
  }
  isStudyExcused(site: string, studyUid: string): boolean {
    return this.#strangers.has(`${site}/${studyUid}`);
  }
  /** A guard has to stop this job: its result is of others. */
  mustBeStopped(site: string, jobId: string, guard: string): void {
    this.excuse(site, jobId, guard);
    this.#toStop.set(`${site}/${jobId}`, guard);
  }
  guardOf(site: string, jobId: string): string | undefined {
    return this.#toStop.get(`${site}/${jobId}`);
  }
  isExcused(site: string, jobId: string): boolean {
    return this.#excused.has(`${site}/${jobId}`);
  }

  /** A PACS took an object that it did not have. */
  stored(result: ResultInPacs, patientOfStudy: string): void {
    const { site, studyUid, product, revision } = result;
    if (result.saidSite !== site) this.violated('C1/C2: a result is of another hospital');
    if (result.saidStudy !== studyUid) this.violated('H1: a result is of another study');
    if (result.patientId !== patientOfStudy) this.violated('C7: a result is of another patient');
    const key = `${site}/${studyUid}/${product}`;
    const revisions = this.#delivered.get(key) ?? [];
    this.#delivered.set(key, revisions);
    if (revisions.some((later) => later > revision)) {
      this.violated('H7: an older revision came after a newer one');
    }
    revisions.push(revision);
    const known = this.#results.get(`${key}/${revision}`);
    if (known && known.sopInstanceUid !== result.sopInstanceUid) {
      this.violated('H8: a result was delivered twice');
    }
    if (known && known.patientId === result.patientId && known.digest !== result.digest) {
      this.violated('P6: a result was sent again with other bytes');
    }
    this.#results.set(`${key}/${revision}`, result);
  }

  resultOf(
    site: string,
    { studyUid, product, revision }: Pick<ResultInPacs, 'studyUid' | 'product' | 'revision'>,
  ): ResultInPacs | undefined {
    return this.#results.get(`${site}/${studyUid}/${product}/${revision}`);
  }
  /** Results that a PACS was given. */
  get results(): number {
    return this.#results.size;
  }
}
