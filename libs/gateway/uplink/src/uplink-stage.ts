/**
 * Uplink: spooled studies to the hub, over a link that the gateway dials.
 * Decides nothing but the order of things: the schedule says what begins and what gives way, the
 * link gate whether the hub may be asked, and how an upload ended says what is written.
 * Invariants: a study counts as uploaded by the hub's StudyAck of our manifest and nothing else;
 * whatever is in memory here is in rows as well, so the process may end at any moment.
 * Source: reliability specification 2 (P2), F7; docs/adr/0022-upload-schedule.md.
 */
import { backoffMs, type Clock, type Stage, type Wake } from '@aifi/shared-kernel';
import type { GatewayDatabase } from '@aifi/gateway-database';
import type { Logger } from '@aifi/shared-observability';
import { chooseEncoding, LinkMeter, type Encoding } from './compression-choice.js';
import { sampleCompression, type TakeSample } from './compression-sample.js';
import { BreakCount } from './break-count.js';
import { LinkGate } from './link-gate.js';
import type { ObjectTransport, OwedObject } from './object-transport.js';
import { Upload, type UploadEnd } from './upload.js';
import { judgeEnd, type UploadVerdict } from './upload-end.js';
import { UploadPacer } from './upload-pacer.js';
import { decideUploads } from './upload-schedule.js';
import type { UplinkConfig } from './uplink-config.js';
import type { UplinkPort } from './uplink-port.js';
import * as store from './uplink-store.js';

export interface UplinkDependencies {
  readonly database: GatewayDatabase;
  readonly port: UplinkPort;
  readonly transport: ObjectTransport;
  readonly config: UplinkConfig;
  readonly deadlines: store.Deadlines;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly wake: Wake;
  readonly onDone: () => void;
  /** @default such a job waits for its deadline */
  readonly selectAgain?: store.SelectAgain | undefined;
  /** Whether the control channel stands: its return ends the wait for the hub. @default unknown */
  readonly isLinkUp?: (() => boolean) | undefined;
  /** Uniform in [0, 1). @default Math.random */
  readonly random?: (() => number) | undefined;
  /** @default the first megabytes of a file, compressed by zstd */
  readonly takeSample?: TakeSample | undefined;
}
/** How the uplink is, for the gateway's page. */
export interface UplinkState {
  readonly uploads: number;
  readonly streams: number;
  /** Rounds in which the hub did not answer since it last did. */
  readonly linkFailures: number;
  /** The hub's reason when it refuses this gateway; undefined when it does not. */
  readonly refusedBy: string | undefined;
}
export interface UplinkStage extends Stage {
  readonly uplinkState: () => UplinkState;
}

/** Longest wait between two looks at the queue. @unit ms */
const INTERVAL_MS = 500;
/** Longest wait between two looks at the link while the hub is away. @unit ms */
export const LINK_LOOK_MS = 1_000;
/** Acknowledgements are recorded so many at a time: they save asking, and decide nothing. */
const ACKS_GROUP = 64;
/** How often people are told that the hub refuses this gateway. @unit ms */
const ALARM_INTERVAL_MS = 3_600_000;

export function createUplinkStage(dependencies: UplinkDependencies): UplinkStage {
  const runner = new UplinkRunner(dependencies);
  return {
    name: 'uplink',
    run: (signal) => runner.run(signal),
    uplinkState: () => runner.state(),
  };
}

class UplinkRunner {
  readonly #uploads = new Map<string, Upload>();
  readonly #concluding = new Set<Upload>();
  readonly #tasks = new Set<Promise<void>>();
  readonly #breaks = new BreakCount();
  readonly #gate: LinkGate;
  readonly #meter = new LinkMeter();
  readonly #pacer: UploadPacer;
  #wasLinkUp = false;
  #refusedBy: string | undefined;
  #alarmedMs = Number.NEGATIVE_INFINITY;

  constructor(private readonly dependencies: UplinkDependencies) {
    this.#gate = new LinkGate(dependencies.random);
    this.#pacer = new UploadPacer(dependencies.config, dependencies.clock);
  }

  state(): UplinkState {
    const views = [...this.#uploads.values()].map((upload) => upload.view());
    return {
      uploads: views.length,
      streams: views.reduce((sum, view) => sum + view.streams, 0),
      linkFailures: this.#gate.failures,
      refusedBy: this.#refusedBy,
    };
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, wake, logger } = this.dependencies;
    while (!signal.aborted) {
      try {
        this.#step();
      } catch (error) {
        logger.fault('uplink failed', error, { stage: 'uplink' });
      }
      this.#lookAtLink();
      // While the link is held, only its own time, its return and the bell are of interest.
      const gateMs = this.#gate.waitMs(clock.monotonicMs());
      const lookMs = this.dependencies.isLinkUp ? Math.min(gateMs, LINK_LOOK_MS) : gateMs;
      await wake.wait(clock, gateMs > 0 ? lookMs : INTERVAL_MS, signal);
    }
    for (const upload of this.#uploads.values()) upload.putBack();
    await Promise.all(this.#tasks);
    this.dependencies.transport.close?.();
    this.#concludeEnded();
    await Promise.all(this.#tasks);
  }

  #lookAtLink(): void {
    const { clock, isLinkUp } = this.dependencies;
    const isUp = isLinkUp?.() ?? false;
    if (isUp && !this.#wasLinkUp) this.#gate.linkIsBack(clock.monotonicMs());
    this.#wasLinkUp = isUp;
  }

  /** Begins and stops what the schedule says. */
  #step(): void {
    const { database, deadlines, clock } = this.dependencies;
    for (const [jobId, upload] of this.#uploads) {
      if (!store.isOwed(database, jobId)) upload.putBack();
    }
    const nowMs = clock.nowMs();
    const callsMax = this.#gate.callsMax(clock.monotonicMs());
    const waiting =
      callsMax === 0
        ? []
        : store
            .listWaiting(database, deadlines, nowMs)
            .filter((job) => !this.#uploads.has(job.jobId));
    const running = [...this.#uploads.values()].map((upload) => upload.view());
    const decision = decideUploads({ waiting, running, callsMax, nowMs });
    for (const jobId of decision.putBack) this.#uploads.get(jobId)?.putBack();
    this.#concludeEnded();
    for (const job of waiting) if (decision.open.includes(job.jobId)) this.#open(job);
    const sharing = Map.groupBy(decision.stream, (jobId) => jobId);
    for (const [jobId, streams] of sharing) {
      for (let left = streams.length; left > 0; left -= 1) this.#send(jobId, left);
    }
    if (callsMax === 0) return;
    for (const upload of this.#uploads.values()) {
      if (upload.isComplete) this.#task(upload, () => upload.close());
    }
  }

  #open(job: Upload['job']): void {
    const { database, port } = this.dependencies;
    const study = store.readStudy(database, job.jobId);
    if (!study) return;
    const upload = new Upload(job, study, port);
    this.#uploads.set(job.jobId, upload);
    this.#task(upload, () => upload.open((owed) => this.#encodingOf(owed)));
  }

  #send(jobId: string, sharing: number): void {
    const { transport, clock } = this.dependencies;
    const upload = this.#uploads.get(jobId);
    if (!upload) return;
    const { lane } = upload.job;
    const acuteEnds = lane === 'acute' ? this.#pacer.acuteBegins() : () => undefined;
    let carried = 0;
    this.#task(upload, async () => {
      const beganMs = clock.monotonicMs();
      const end = await upload
        .send({
          ...{ transport, sharing },
          pace: (bytes, signal) => {
            carried += bytes;
            return this.#pacer.pace(lane, bytes, signal);
          },
          acknowledged: () => this.#acknowledged(upload),
        })
        .finally(acuteEnds);
      const parallel = this.state().streams + 1;
      this.#meter.measured(carried * parallel, clock.monotonicMs() - beganMs);
      if (end?.kind === 'draining') this.#gate.drained(end.retryAfterMs, clock.monotonicMs());
    });
  }

  #acknowledged(upload: Upload): void {
    this.#gate.answered();
    if (upload.unrecordedAcks >= ACKS_GROUP) this.#background(() => this.#recordAcks(upload));
  }

  async #recordAcks(upload: Upload): Promise<void> {
    await store.recordAcks(this.dependencies.database, upload.job.jobId, upload.takeAcks());
  }

  async #encodingOf(owed: readonly OwedObject[]): Promise<Encoding> {
    const { config, clock, takeSample = sampleCompression } = this.dependencies;
    const { compression } = config;
    const isKnown = compression !== 'auto' || this.#meter.bytesPerSecond === undefined;
    const sample = isKnown ? undefined : await takeSample(owed, clock);
    return chooseEncoding(compression, sample, this.#meter.bytesPerSecond);
  }

  /** A call or stream of an upload; what it says about the link counts for all. */
  #task(upload: Upload, work: () => Promise<void>): void {
    const { round } = this.#gate;
    this.#background(async () => {
      await work();
      const { reason } = upload;
      const verdict = reason && judgeEnd(reason, upload.refusals);
      if (verdict === 'link-down' || verdict === 'link-refused') {
        this.#gate.failed(round, this.dependencies.clock.monotonicMs());
      } else if (reason?.kind !== 'put-back') this.#gate.answered();
      if (verdict === 'link-refused') this.#alarm((reason as { readonly code: string }).code);
      else if (verdict !== 'link-down') this.#refusedBy = undefined;
    });
  }

  /** The hub refuses this gateway: nothing goes on until a person mends the enrolment. */
  #alarm(code: string): void {
    const { clock, logger } = this.dependencies;
    this.#refusedBy = code;
    const nowMs = clock.monotonicMs();
    if (nowMs - this.#alarmedMs < ALARM_INTERVAL_MS) return;
    this.#alarmedMs = nowMs;
    logger.error('the hub refuses this gateway: look at its enrolment', { stage: 'uplink', code });
  }

  #concludeEnded(): void {
    for (const upload of this.#uploads.values()) {
      if (!upload.ended || this.#concluding.has(upload)) continue;
      const { ended } = upload;
      this.#concluding.add(upload);
      this.#background(async () => {
        try {
          await this.#conclude(upload, ended);
        } catch (error) {
          // Our own disk is at fault: asking the hub again at once would not help it.
          await this.dependencies.clock.sleep(INTERVAL_MS);
          throw error;
        } finally {
          this.#concluding.delete(upload);
          this.#uploads.delete(upload.job.jobId);
        }
      });
    }
  }

  async #conclude(upload: Upload, end: UploadEnd): Promise<void> {
    const { database, clock, logger, onDone } = this.dependencies;
    const { jobId } = upload.job;
    await this.#recordAcks(upload);
    const verdict = judgeEnd(end, upload.refusals);
    if (verdict === 'again') return;
    if (verdict !== 'link-down') this.#breaks.forget(jobId);
    if (verdict === 'done') {
      await store.recordUploaded(database, jobId, clock.nowMs());
      logger.info('study uploaded', { stage: 'uplink', jobId });
      return onDone();
    }
    const code = end.kind === 'failed' ? end.error.code : (end as { code: string }).code;
    const fields = { stage: 'uplink', jobId, code, attempt: upload.attempts + 1 };
    const atMs = clock.nowMs();
    if (verdict === 'never') {
      await store.recordRefused(database, { jobId, code, atMs });
      logger.error('the hub refused a study for good', fields);
      return onDone();
    }
    const { selectAgain } = this.dependencies;
    if (verdict === 'select-again' && selectAgain) {
      if (await store.recordSelectedAgain(database, selectAgain, { jobId, atMs })) {
        logger.info('study selected again by newer rules', fields);
        return onDone();
      }
    }
    if (end.kind === 'failed') logger.fault('upload postponed', end.error, fields);
    else logger.warn('upload postponed', fields);
    await this.#postpone(upload, { verdict, code, atMs });
  }

  async #postpone(
    upload: Upload,
    { verdict, code, atMs }: { verdict: UploadVerdict; code: string; atMs: number },
  ): Promise<void> {
    const { database, clock, random = Math.random } = this.dependencies;
    const { attempts, job } = upload;
    const { jobId } = job;
    const waitMs = ((): number => {
      // The gate holds all of them: when the link is back, the most urgent is due, and goes first.
      if (verdict === 'link-down') return this.#breaks.waitMs(upload, random);
      if (verdict === 'link-refused') return this.#gate.waitMs(clock.monotonicMs());
      return backoffMs(attempts + 1, { random });
    })();
    const nextAttemptMs = atMs + Math.ceil(waitMs);
    const isRefusal = code === 'PEER_REFUSED' || code === 'INVALID_ARGUMENT';
    const isAttempt = verdict !== 'link-down' || upload.wasAnswered;
    await store.recordFailedTry(database, { jobId, code, nextAttemptMs, isRefusal, isAttempt });
  }

  #background(work: () => Promise<void>): void {
    const { logger, wake } = this.dependencies;
    const task = work()
      .catch((error: unknown) => logger.fault('uplink failed', error, { stage: 'uplink' }))
      .finally(() => {
        this.#tasks.delete(task);
        wake.notify();
      });
    this.#tasks.add(task);
  }
}
