/**
 * FairAdmission: the hub's room for objects in flight, shared by all sites.
 * Decides who may begin to store an object now, who waits, and who is told to come again; the order
 * is that of FairQueue.
 * Invariants: a slot is given back exactly once, however often its answer is called; whoever goes
 * away while waiting leaves no trace; what is refused is refused before a byte is stored.
 * Source: reliability specification H14 (quotas, fair scheduling, acute reserve of 20 %), F7.
 */
import { AifiError } from '@aifi/shared-kernel';
import { z } from 'zod';
import type { Admission, AdmissionAsk } from './admission.js';
import { FairQueue, type Lane, type SiteUse, type Use } from './fair-queue.js';

const MIB = 1024 ** 2;

export const admissionConfigSchema = z
  .strictObject({
    objectsMax: z.int().min(5).max(10_000).default(64).describe('objects in flight, all sites'),
    bytesMax: z
      .int()
      .min(MIB)
      .default(4096 * MIB)
      .describe('their sizes together, bytes'),
    acuteReserve: z
      .number()
      .min(0.2)
      .max(0.9)
      .default(0.2)
      .describe('part of the room that only acute studies may use'),
    siteObjectsMax: z.int().min(1).default(16).describe('objects in flight of one site'),
    siteBytesMax: z
      .int()
      .min(MIB)
      .default(1024 * MIB)
      .describe('their sizes together, bytes'),
    siteWaitingMax: z.int().min(1).max(10_000).default(64).describe('objects of a site that wait'),
  })
  .refine((limits) => limits.siteObjectsMax <= limits.objectsMax, {
    path: ['siteObjectsMax'],
    message: 'a site may have no more than all sites together',
  });
export type AdmissionConfig = z.output<typeof admissionConfigSchema>;

/** When a site is to come again that waits for too much already. @unit ms */
export const ADMISSION_RETRY_AFTER_MS = 5_000;

export interface AdmissionUse {
  readonly lanes: Readonly<Record<Lane, Use>>;
  /** By name of the site. */
  readonly sites: ReadonlyMap<string, SiteUse>;
}

interface Waiting {
  readonly site: string;
  readonly lane: Lane;
  readonly sizeBytes: number;
  readonly admitted: () => void;
}

export class FairAdmission implements Admission {
  readonly #queue: FairQueue<Waiting>;

  constructor(limits: AdmissionConfig, weightOf?: (site: string) => number) {
    this.#queue = new FairQueue(limits, weightOf);
  }

  enter({ siteId, lane, sizeBytes, signal }: AdmissionAsk): Promise<() => void> {
    return new Promise((resolve, reject) => {
      const gone = (): AifiError => new AifiError('PEER_UNAVAILABLE', 'the gateway has gone');
      if (signal.aborted) return reject(gone());
      const leave = (): void => {
        if (this.#queue.cancel(entry)) reject(gone());
      };
      const entry: Waiting = {
        ...{ site: siteId, lane, sizeBytes },
        admitted: () => {
          signal.removeEventListener('abort', leave);
          resolve(this.#slot(entry));
        },
      };
      if (!this.#queue.add(entry)) {
        const cause = { retryAfterMs: ADMISSION_RETRY_AFTER_MS };
        return reject(new AifiError('LIMIT_EXCEEDED', 'the site waits for enough', { cause }));
      }
      signal.addEventListener('abort', leave, { once: true });
      this.#admit();
    });
  }

  /** What is in flight by lane, and by site what is in flight and waits. */
  use(): AdmissionUse {
    return { lanes: this.#queue.total(), sites: this.#queue.use() };
  }

  #slot(entry: Waiting): () => void {
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      this.#queue.leave(entry);
      this.#admit();
    };
  }

  #admit(): void {
    for (const entry of this.#queue.admit()) entry.admitted();
  }
}
