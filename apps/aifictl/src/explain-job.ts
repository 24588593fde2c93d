/**
 * Explanation of a job: where it stands and what happens next, in plain words.
 * Decides the words for every state of a job, from the facts of gateway and hub alone.
 * Invariants: pure; every open job says what it waits for; a fact that is missing is said to be.
 * Source: docs/architecture/2-data-path.md (states), governance 4.3 (codes).
 */
import type { GatewayJob, GatewayStatus, HubJob } from '@aifi/contracts-rest';
import { TERMINAL_STATES } from '@aifi/shared-kernel';
import { faultWords, reasonWords } from './fault-words.js';
import { count, size, type Times } from './plain-values.js';

/** Below this the gateway counts as full: one large CT study. @unit bytes */
const DISK_FREE_BYTES_MIN = 1_000_000_000;

export interface JobFacts {
  readonly job: GatewayJob;
  /** null: the hub does not know the job; undefined: the hub was not asked or does not answer. */
  readonly hub: HubJob | null | undefined;
  /** undefined: not known. */
  readonly status: GatewayStatus | undefined;
}
export interface Explanation {
  readonly terminal: boolean;
  /** State with its code in words. */
  readonly state: string;
  /** What happens next; null when nothing will. */
  readonly next: string | null;
}

const STATE_WORDS: Readonly<Record<string, string>> = {
  SELECTED: 'chosen for the product, not pseudonymised yet',
  SPOOLED: 'pseudonymised and kept at the gateway, not at the hub yet',
  UPLOADED: 'the hub holds the study',
  RETURNED: 'the outcome is at the gateway',
  REIDENTIFIED: 'the result has its patient again and is ready for the PACS',
  HELD: 'held before delivery',
  QUARANTINED: 'set apart before delivery',
  RESULT_IN_PACS: 'the PACS lists every object of the result',
  NOT_ANALYSED_NOTIFIED: 'not analysed',
  NOT_ELIGIBLE_LOGGED: 'not for this product',
};

export function explainJob(facts: JobFacts, times: Times): Explanation {
  const { state, code, detail } = facts.job;
  const words = code ? `${code}: ${reasonWords(code) ?? 'no words for this code'}` : undefined;
  const parts = [STATE_WORDS[state], words, detail ? `(${detail})` : undefined];
  const told = parts.filter((part) => part !== undefined).join('; ');
  const terminal = TERMINAL_STATES.some((one) => one === state);
  return {
    terminal,
    state: told === '' ? state : `${state}: ${told}`,
    next: terminal ? again(facts.job) : `${waiting(facts, times)}. ${ending(facts.job, times)}`,
  };
}

/** An end that a person can undo: the PACS would not take the result, or nothing was sent. */
function again({ code, deliveries, waitingImages }: GatewayJob): string | null {
  const isDead = code === 'PACS_REFUSED' && deliveries.some(({ state }) => state === 'DEAD');
  if (waitingImages !== undefined) {
    return 'a person can still release its images: aifictl pixel-holds list';
  }
  if (code === 'QUARANTINED_IDENTIFIER' || code === 'QUARANTINED_PIXELS') {
    return 'a person can have it tried again: aifictl jobs retry';
  }
  return isDead ? 'a person can have it sent again: aifictl dead-letters list' : null;
}

function ending({ deadlineAtMs, code }: GatewayJob, times: Times): string {
  const as = code ?? 'TIMEOUT';
  const at = times.toSecond(deadlineAtMs);
  return `If nothing changes it ends at ${at} as NOT_ANALYSED_NOTIFIED, ${as}`;
}

function waiting(facts: JobFacts, times: Times): string {
  const { job, status } = facts;
  switch (job.state) {
    case 'SELECTED':
      return `waiting for pseudonymise at the gateway${diskNote(status)}`;
    case 'SPOOLED':
      return `waiting for the hub, ${uploadAttempt(job, times)}${linkNote(status)}`;
    case 'UPLOADED':
      return waitingAtHub(facts, times);
    case 'RETURNED':
      return `waiting for reidentify at the gateway${diskNote(status)}`;
    case 'REIDENTIFIED':
      return waitingForPacs(job, status, times);
    case 'HELD':
    case 'QUARANTINED':
      return 'waiting for a person at the hospital: it does not go on by itself';
    default:
      return 'in a state that this version of aifictl does not know';
  }
}

interface Retry {
  readonly attempts: number;
  readonly nextAttemptAtMs: number;
  readonly lastFault: string | null;
}

/** `attempt 4 at 10:22:31, last fault PEER_UNAVAILABLE (the other side does not answer)` */
function attempt({ attempts, nextAttemptAtMs, lastFault }: Retry, times: Times): string {
  const which = `attempt ${attempts + 1}`;
  const when = attempts === 0 ? 'due now' : `at ${times.toSecond(nextAttemptAtMs)}`;
  return `${which} ${when}${lastFault ? `, last fault ${faultWords(lastFault)}` : ''}`;
}

function uploadAttempt({ upload }: GatewayJob, times: Times): string {
  return upload ? attempt(upload, times) : 'nothing is queued for it';
}

function linkNote(status: GatewayStatus | undefined): string {
  if (!status || status.link === 'up') return '';
  const link = status.link === 'down' ? 'is down' : 'is being opened';
  return `; the link to the hub ${link}, the study is safe in the spool`;
}

/** By the gateway's own level, or for one that does not tell it by its free space. */
export const isDiskFull = ({ disk, diskFreeBytes }: GatewayStatus): boolean =>
  disk ? disk.level === 'refuse-all' : diskFreeBytes < DISK_FREE_BYTES_MIN;

function diskNote(status: GatewayStatus | undefined): string {
  if (!status || !isDiskFull(status)) return '';
  const free = `${size(status.diskFreeBytes)} free`;
  return `; the gateway's disk is full (${free}): it goes on when there is room`;
}

function waitingAtHub({ hub }: JobFacts, times: Times): string {
  if (hub === undefined) return 'waiting for the outcome; the hub is not asked (--hub) or away';
  if (hub === null) return 'waiting for the outcome, but the hub does not know this job';
  switch (hub.state) {
    case 'OPEN':
      return 'the hub still waits for objects of the study';
    case 'STORED':
      return 'waiting for route at the hub';
    case 'QUEUED':
      return hub.queue ? waitingForWorker(hub.queue, times) : 'waiting for a worker';
    case 'INFERRED':
      return hub.queue?.lastFault
        ? `the hub is making the result objects, ${attempt(hub.queue, times)}`
        : 'the hub is making the result objects';
    case 'CONCLUDED':
      return 'the outcome is ready at the hub and waits for the gateway to fetch it';
    default:
      return 'the outcome has been handed over to the gateway';
  }
}

function waitingForWorker(queue: NonNullable<HubJob['queue']>, times: Times): string {
  if (queue.leaseUntilMs !== null) {
    const fault = queue.lastFault ? `, last fault ${faultWords(queue.lastFault)}` : '';
    return `with a worker now, claim ${queue.leaseEpoch}${fault}`;
  }
  const isFirst = queue.leaseEpoch === 0;
  const retry = { ...queue, attempts: queue.leaseEpoch };
  return isFirst ? 'waiting for a free worker' : `waiting for a worker, ${attempt(retry, times)}`;
}

function waitingForPacs(
  { deliveries }: GatewayJob,
  status: GatewayStatus | undefined,
  times: Times,
): string {
  const open = deliveries.filter(({ state }) => state === 'QUEUED' || state === 'STORED');
  const first = open.toSorted((a, b) => a.nextAttemptAtMs - b.nextAttemptAtMs)[0];
  if (!first) return 'waiting for the PACS';
  const toGo = `${open.length} of ${count(deliveries.length, 'object')} to go`;
  const away =
    status && status.pacsBreaker !== 'closed'
      ? '; the PACS does not answer and is looked for every 30 seconds'
      : '';
  const which = attempt(first, times);
  if (first.state === 'STORED') {
    return `waiting for the PACS to list what it accepted, ${toGo}, ${which}${away}`;
  }
  const isStudyAbsent = first.attempts > 0 && first.lastFault === null;
  const absent = isStudyAbsent ? '; the PACS did not list the study at the last look' : '';
  return `waiting for the PACS, ${toGo}, ${which}${absent}${away}`;
}
