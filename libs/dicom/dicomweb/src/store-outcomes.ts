/**
 * StoreOutcomes: what became of each instance of a STOW-RS request, and the answer that says so.
 * Decides the HTTP status and the Store Instances Response. Invariants: an instance is listed as
 * stored only with a status of success; memory is two short texts for each, and the answer is made
 * in pieces; nothing of a dataset but its UIDs is in it.
 * Source: PS3.18 10.5.3 (table 10.5.3-1), I.2 (Store Instances Response Module), F.2 (JSON).
 */
import { DIMSE_STATUS, storeVerdict } from '@aifi/dicom-dimse';
import { TAG } from './dicom-json.js';

export interface InstanceName {
  readonly sopClassUid: string;
  readonly sopInstanceUid: string;
}
/** Instances of which a piece of the answer tells. */
const PIECE_INSTANCES = 100;
/** Refused for want of resources (PS3.4 B.2.3). */
const OUT_OF_RESOURCES = 0xa7;

export class StoreOutcomes {
  /** A class is one text, however many instances have it. */
  readonly #classes = new Map<string, string>();
  readonly #stored: InstanceName[] = [];
  readonly #failed: (InstanceName & { readonly status: number })[] = [];
  /** What could not be read far enough to have a name, by status. */
  readonly #nameless = new Map<number, number>();

  /** `name`: absent when it was not read that far. */
  add(status: number, name?: InstanceName): void {
    if (!name) {
      this.#nameless.set(status, (this.#nameless.get(status) ?? 0) + 1);
      return;
    }
    const { sopInstanceUid } = name;
    const sopClassUid = this.#classes.get(name.sopClassUid) ?? name.sopClassUid;
    this.#classes.set(sopClassUid, sopClassUid);
    if (storeVerdict(status) === 'stored') this.#stored.push({ sopClassUid, sopInstanceUid });
    else this.#failed.push({ sopClassUid, sopInstanceUid, status });
  }

  /** Instances that are held by name. */
  get named(): number {
    return this.#stored.length + this.#failed.length;
  }

  /** 200: all stored; 202: some; 503: none, for now; 409: none. */
  get httpStatus(): 200 | 202 | 409 | 503 {
    const statuses = [...this.#nameless.keys(), ...this.#failed.map(({ status }) => status)];
    if (statuses.length === 0) return 200;
    if (this.#stored.length > 0) return 202;
    return statuses.some((status) => status >>> 8 === OUT_OF_RESOURCES) ? 503 : 409;
  }

  /** The answer in application/dicom+json; the same pieces each time. */
  *json(): Generator<string> {
    // Type 2: there is no way to retrieve from here.
    yield `{"${TAG.retrieveUrl}":{"vr":"UR"}`;
    yield* sequence(TAG.failedSopSequence, this.#failed, (failure) => ({
      ...reference(failure),
      ...reason(failure.status),
    }));
    yield* sequence(TAG.referencedSopSequence, this.#stored, reference);
    yield* sequence(TAG.otherFailuresSequence, this.#namelessItems(), reason);
    yield '}';
  }

  *#namelessItems(): Generator<number> {
    for (const [status, count] of this.#nameless) {
      for (let i = 0; i < count; i += 1) yield status;
    }
  }
}

const reference = ({ sopClassUid, sopInstanceUid }: InstanceName): object => ({
  [TAG.referencedSopClassUid]: { vr: 'UI', Value: [sopClassUid] },
  [TAG.referencedSopInstanceUid]: { vr: 'UI', Value: [sopInstanceUid] },
});
const reason = (status: number): object => ({
  [TAG.failureReason]: { vr: 'US', Value: [status || DIMSE_STATUS.processingFailure] },
});

function* sequence<T>(
  tag: string,
  items: Iterable<T>,
  itemOf: (item: T) => object,
): Generator<string> {
  let [piece, count] = ['', 0];
  for (const item of items) {
    piece += count === 0 ? `,"${tag}":{"vr":"SQ","Value":[` : ',';
    piece += JSON.stringify(itemOf(item));
    count += 1;
    if (count % PIECE_INSTANCES !== 0) continue;
    yield piece;
    piece = '';
  }
  if (count > 0) yield `${piece}]}`;
}
