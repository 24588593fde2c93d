/**
 * LastLook: the C-FIND right before a C-STORE, and what follows from its answer.
 * Decides that an identity which the history explains is taken over: the object is re-identified
 * with what the PACS shows now, put on record, and looked at again; only "same" is sent.
 * Invariants: an object that is STORED is never rewritten, its SOP Instance UID never changes;
 * what is unexplained, or under two patients, is held. Source: reliability specification C7.
 */
import type { StudyMatch } from '@aifi/dicom-dimse';
import {
  crashPoint,
  invariant,
  nodeFileSystem,
  type Clock,
  type FileSystem,
  type Sha256,
} from '@aifi/shared-kernel';
import type { Logger } from '@aifi/shared-observability';
import type { DeliveryRow } from './delivery-row.js';
import type { DeliveryStore } from './delivery.store.js';
import { readOutgoingObject, type OutgoingObject } from './outgoing-object.js';
import { compareIdentity } from './pacs-identity.js';
import type { PacsPeer } from './pacs-peer.js';

/** A PACS that shows yet another identity each time is in the middle of something. */
const REWRITES_MAX = 3;

/** An object that waits for its C-STORE. */
export interface WaitingObject {
  readonly studyUid: string;
  readonly path: string;
}
export interface RewrittenObject {
  readonly path: string;
  readonly sha256: Sha256;
}
/** The way to what the hospital has said about the patients of a study. */
export interface IdentityExplainer {
  /**
   * Writes the object anew, durably and beside the old file, with the identity that the PACS shows.
   * Undefined when nothing that was ever said explains that identity.
   */
  explain(object: WaitingObject, shown: StudyMatch): Promise<RewrittenObject | undefined>;
  /** Changes whenever more is said of the patient of a study. @default nothing is ever said */
  identityVersion?(studyUid: string): number;
}
/** Nothing is ever explained: every change is held. */
export const NO_EXPLANATION: IdentityExplainer = { explain: () => Promise.resolve(undefined) };

/** A row with the object that it stands for. */
export interface Outgoing {
  readonly row: DeliveryRow;
  readonly object: OutgoingObject;
}
export type Look =
  ({ readonly kind: 'send' } & Outgoing) | { readonly kind: 'absent' | 'held' | 'unsettled' };

export interface LastLookDependencies {
  readonly pacs: PacsPeer;
  readonly store: DeliveryStore;
  readonly explainer: IdentityExplainer;
  readonly clock: Clock;
  readonly logger: Logger;
  /** @default the disk of this machine */
  readonly files?: FileSystem | undefined;
}

export class LastLook {
  constructor(private readonly dependencies: LastLookDependencies) {}

  async at(outgoing: Outgoing): Promise<Look> {
    let current = outgoing;
    for (let rewrites = 0; rewrites <= REWRITES_MAX; rewrites += 1) {
      const { row, object } = current;
      const matches = await this.dependencies.pacs.findStudy(row.study_uid);
      const verdict = compareIdentity(object.identity, matches);
      if (verdict === 'same') return { kind: 'send', ...current };
      if (verdict === 'absent') return { kind: 'absent' };
      if (verdict === 'mixed') return { kind: 'held' };
      const rewritten = await this.#rewritten(row, matches);
      if (!rewritten) return verdict === 'renamed' ? { kind: 'send', ...current } : HELD;
      current = rewritten;
    }
    return { kind: 'unsettled' };
  }

  async #rewritten(
    row: DeliveryRow,
    matches: readonly StudyMatch[],
  ): Promise<Outgoing | undefined> {
    const { explainer, store, clock, logger, files = nodeFileSystem } = this.dependencies;
    const shown = matches.find(({ studyInstanceUid }) => studyInstanceUid === row.study_uid)!;
    const file = await explainer.explain({ studyUid: row.study_uid, path: row.path }, shown);
    if (!file || file.sha256 === row.sha256) return undefined;
    crashPoint('gateway.deliver.before-rewrite');
    const anew = await store.rewritten(row, file, clock.nowMs());
    crashPoint('gateway.deliver.after-rewrite');
    await files.remove(row.path);
    logger.info('result rewritten with the identity of the PACS', { jobId: row.job_id });
    const object = await readOutgoingObject(anew, files);
    invariant(object !== undefined, 'a rewritten object is another one');
    return { row: anew, object };
  }
}

const HELD: Look = { kind: 'held' };
