/**
 * Upload schedule: which study goes next, over how many streams, and which one has to wait.
 * Decides with no input or output of its own: the stage shows it the jobs as they are, and does
 * what it answers. Acute goes before routine and takes its place; within a lane the order of
 * arrival; a job alone may use the streams that nobody else needs.
 * Invariants: at most STREAMS_MAX streams and uploads; routine leaves one of each to acute; nothing
 * of routine begins while acute has bytes to send; what is past its deadline never begins.
 * Source: reliability specification P2, F7, H6.
 */

/** Streams, and uploads, of one gateway (F7: 4 of at most 32 MiB each at the hub). */
export const STREAMS_MAX = 4;
/** One of them is always free for acute (hazard H6). */
export const ROUTINE_STREAMS_MAX = STREAMS_MAX - 1;

export type Lane = 'acute' | 'routine';

/** A queued job that is not under way. */
export interface WaitingJob {
  readonly jobId: string;
  readonly lane: Lane;
  /** Rises with arrival. */
  readonly order: number;
  /** Wall clock: a deadline is a promise to people. @unit ms */
  readonly deadlineMs: number;
}
/** A job under way. */
export interface RunningJob extends WaitingJob {
  readonly streams: number;
  /** It has objects to send that no stream has in hand. */
  readonly hasMore: boolean;
  /** It has been told to stop, and gives back its place soon. */
  readonly isEnding: boolean;
}
export interface ScheduleInput {
  readonly waiting: readonly WaitingJob[];
  readonly running: readonly RunningJob[];
  /** Calls that may be under way at the hub, see LinkGate. */
  readonly callsMax: number;
  /** Wall clock. @unit ms */
  readonly nowMs: number;
}
export interface ScheduleDecision {
  /** To be opened at the hub, in this order. */
  readonly open: readonly string[];
  /** A stream each, in this order; a job may be named more than once. */
  readonly stream: readonly string[];
  /** To be put back at once: acute needs the place, or the deadline has passed. */
  readonly putBack: readonly string[];
}

const byUrgency = (a: WaitingJob, b: WaitingJob): number =>
  a.lane === b.lane ? a.order - b.order : a.lane === 'acute' ? -1 : 1;

export function decideUploads(input: ScheduleInput): ScheduleDecision {
  const { nowMs } = input;
  const isLate = (job: WaitingJob): boolean => job.deadlineMs <= nowMs;
  const running = input.running.filter((job) => !job.isEnding);
  const late = running.filter(isLate);
  const live = running.filter((job) => !isLate(job)).sort(byUrgency);
  const waiting = input.waiting.filter((job) => !isLate(job)).sort(byUrgency);
  const open = toOpen(waiting, input);
  const acuteWaits = waiting.filter((job) => job.lane === 'acute').length;
  const given = open.filter((job) => job.lane === 'acute').length;
  // Places that are being given back already need not be asked for again.
  const acuteLeft = acuteWaits - given - (input.running.length - running.length) - late.length;
  const preempted = toPreempt(live, input, acuteLeft);
  const stream = toStream(
    live.filter((job) => !preempted.includes(job)),
    input,
    open.length,
  );
  return {
    open: open.map((job) => job.jobId),
    stream,
    putBack: [...late, ...preempted].map((job) => job.jobId),
  };
}

function toOpen(waiting: readonly WaitingJob[], input: ScheduleInput): readonly WaitingJob[] {
  const { running, callsMax } = input;
  let free = Math.min(STREAMS_MAX, callsMax) - running.length;
  let routineFree = ROUTINE_STREAMS_MAX - running.filter((job) => job.lane === 'routine').length;
  // Whatever acute job is there or comes now goes first, and alone until it has ended.
  const acuteSends = isAcuteSending(running) || waiting.some((job) => job.lane === 'acute');
  const open: WaitingJob[] = [];
  for (const job of waiting) {
    if (free <= 0) break;
    if (job.lane === 'routine') {
      if (acuteSends || routineFree <= 0) break;
      routineFree -= 1;
    }
    free -= 1;
    open.push(job);
  }
  return open;
}

function isAcuteSending(running: readonly RunningJob[]): boolean {
  return running.some((job) => job.lane === 'acute' && (job.streams > 0 || job.hasMore));
}

/** The youngest routine jobs give their place to acute ones that find none. */
function toPreempt(
  live: readonly RunningJob[],
  { callsMax }: ScheduleInput,
  acuteLeft: number,
): readonly RunningJob[] {
  // A hub that does not answer has no place to give.
  if (acuteLeft <= 0 || callsMax < STREAMS_MAX) return [];
  const routine = live.filter((job) => job.lane === 'routine');
  return routine.slice(Math.max(0, routine.length - acuteLeft));
}

function toStream(
  live: readonly RunningJob[],
  { running, callsMax }: ScheduleInput,
  opening: number,
): readonly string[] {
  const used = (lane?: Lane): number =>
    running
      .filter((job) => lane === undefined || job.lane === lane)
      .reduce((sum, job) => sum + job.streams, 0);
  // A hub that failed is asked one thing at a time.
  const callsLeft = callsMax === Number.POSITIVE_INFINITY ? STREAMS_MAX : callsMax - opening;
  const left: Record<Lane, number> = { acute: 0, routine: 0 };
  left.acute = Math.min(callsLeft, STREAMS_MAX) - used();
  left.routine = Math.min(left.acute, ROUTINE_STREAMS_MAX - used('routine'));
  const lane: Lane = isAcuteSending(running) ? 'acute' : 'routine';
  const wanting = live.filter((job) => job.hasMore && job.lane === lane);
  const chosen: string[] = [];
  // Each one that has no stream gets one, then the first takes what is left.
  for (const job of wanting) {
    if (job.streams === 0 && chosen.length < left[lane]) chosen.push(job.jobId);
  }
  while (wanting[0] && chosen.length < left[lane]) chosen.push(wanting[0].jobId);
  return chosen;
}

/** An object as far as the size of a batch is concerned. */
export interface Sized {
  /** @unit bytes */
  readonly sizeBytes: number;
}
/**
 * A stream gets so much at once: enough that its start and end weigh little, and little enough that
 * streams are shared anew every few seconds. @unit bytes
 */
const BATCH_BYTES_MAX = 64 * 1024 ** 2;
const BATCH_BYTES_MIN = 4 * 1024 ** 2;
const BATCH_OBJECTS_MAX = 1_000;

/** How many of the first objects the next stream takes, when `streams` share them. */
export function batchLength(pending: readonly Sized[], streams: number): number {
  const total = pending.reduce((sum, object) => sum + object.sizeBytes, 0);
  const share = Math.min(BATCH_BYTES_MAX, Math.max(BATCH_BYTES_MIN, total / streams));
  let bytes = 0;
  let length = 0;
  while (length < pending.length && length < BATCH_OBJECTS_MAX && bytes < share) {
    bytes += pending[length]!.sizeBytes;
    length += 1;
  }
  return length;
}
