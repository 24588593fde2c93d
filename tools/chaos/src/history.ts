/**
 * History: what a run did and saw, one JSON line each, from which everything is judged.
 * Decides what is written down: what was asked, what was answered, what broke, and at the end what
 * the gateways and the PACS hold. Invariants: a line is written before the next act; all identities
 * are invented; the checker sees nothing but these lines.
 */
import { appendFileSync, readFileSync } from 'node:fs';
import { systemClock } from '@aifi/shared-kernel';
import type { PixelIdentity } from './pixel-code.js';

export const STUDY_KINDS = ['plain', 'resent', 'addendum', 'renamed', 'held'] as const;
export type StudyKind = (typeof STUDY_KINDS)[number];

/** One study at one site. */
export interface SentStudy {
  readonly site: string;
  /** Number of the study in the run: at several sites the same, under the same UIDs. */
  readonly study: number;
  readonly studyUid: string;
  readonly studyKind: StudyKind;
  readonly patientId: string;
  readonly issuer: string;
  /** The product that takes it; every other one is not eligible. */
  readonly product: string;
}
export interface AccountedJob {
  readonly jobId: string;
  readonly product: string;
  readonly revision: number;
  readonly state: string;
  readonly code: string | null;
  readonly deliveries: readonly {
    readonly role: string;
    readonly issue: number;
    readonly index: number;
    readonly sopInstanceUid: string;
    readonly state: string;
  }[];
}
/** What a gateway says of a study. */
export interface Account {
  readonly site: string;
  readonly studyUid: string;
  readonly revision: number;
  readonly instances: number;
  readonly open: number;
  readonly conflicts: number;
  readonly jobs: readonly AccountedJob[];
  readonly statusObjects: readonly {
    readonly issue: number;
    readonly revision: number;
    readonly sopInstanceUid: string;
    readonly state: string;
  }[];
  readonly journal: readonly {
    readonly stage: string;
    readonly event: string;
    readonly jobId: string | null;
  }[];
}
/** What a PACS holds. */
export interface PacsObject {
  readonly site: string;
  /** Order in which the PACS stored it. */
  readonly order: number;
  readonly studyUid: string;
  readonly sopInstanceUid: string;
  readonly patientId: string;
  readonly issuer: string;
  /** Of our results: the text that names the job. */
  readonly jobText: string;
  /** Of a structured report: what the model read, per image; null: boxes that say nothing. */
  readonly oracle: readonly (PixelIdentity | null)[];
}

export type HistoryEvent =
  | {
      readonly kind: 'run';
      readonly seed: string;
      readonly siteIds: readonly string[];
      readonly products: readonly string[];
    }
  | ({ readonly kind: 'sent' } & SentStudy)
  | {
      readonly kind: 'image';
      readonly site: string;
      readonly studyUid: string;
      readonly image: number;
      readonly sopInstanceUid: string;
    }
  /** The gateway answered 0000 for this image. */
  | { readonly kind: 'accepted'; readonly site: string; readonly sopInstanceUid: string }
  | {
      readonly kind: 'kill';
      readonly target: string;
      readonly process: string;
      /** At which it waited. */
      readonly armedAt?: string | undefined;
    }
  | { readonly kind: 'hit'; readonly point: string; readonly process: string }
  /** A process that ended although nobody made it. */
  | { readonly kind: 'death'; readonly process: string; readonly how: string }
  | { readonly kind: 'fault'; readonly fault: string; readonly where: string; readonly ms: number }
  | { readonly kind: 'healed' }
  | { readonly kind: 'settled'; readonly seconds: number; readonly openJobs: number }
  | ({ readonly kind: 'account' } & Account)
  | ({ readonly kind: 'object' } & PacsObject)
  /** Records of the audit trail for stores into the PACS. */
  | {
      readonly kind: 'audited';
      readonly site: string;
      readonly jobId: string;
      readonly event: string;
      readonly count: number;
    };
export type EventOf<K extends HistoryEvent['kind']> = Extract<HistoryEvent, { kind: K }>;

export class History {
  readonly events: HistoryEvent[] = [];

  constructor(readonly file: string) {}

  add(event: HistoryEvent): void {
    appendFileSync(this.file, `${JSON.stringify({ atMs: systemClock.nowMs(), ...event })}\n`, {
      mode: 0o600,
    });
    this.events.push(event);
  }
  of<K extends HistoryEvent['kind']>(kind: K): EventOf<K>[] {
    return this.events.filter((event): event is EventOf<K> => event.kind === kind);
  }
}

/** A history that was kept. */
export function readHistory(file: string): HistoryEvent[] {
  const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean);
  return lines.map((line) => JSON.parse(line) as HistoryEvent);
}
