/**
 * DeliverService: one object at a time per lane into the PACS, each exactly once, to the right
 * patient. Decides the order: last look (C7), attempt on record, C-STORE, proof; and whether the
 * PACS may be asked at all now (lanes, token bucket, retry budget, circuit breaker).
 * Invariants: the bytes sent are the bytes on record; after an unknown outcome the PACS is asked
 * before anything is sent again; whatever the PACS does, at most six tries a minute fail.
 * Source: reliability specification P6, C7, F6, H15; architecture 2.
 */
import { PeerStatus, storeVerdict, type CommitmentReport } from '@aifi/dicom-dimse';
import type { GatewayDatabase } from '@aifi/gateway-database';
import { AifiError, crashPoint, type Clock, type FileSystem } from '@aifi/shared-kernel';
import type { Logger } from '@aifi/shared-observability';
import { AttemptLimit } from './attempt-limit.js';
import { CircuitBreaker, type BreakerState } from './circuit-breaker.js';
import type { CommitmentConfig, DeliverConfig } from './deliver.config.js';
import { nextRow, type DeliveryRow } from './delivery-row.js';
import { DeliveryStore, type JobEnd } from './delivery.store.js';
import { resumeExplained } from './held-jobs.js';
import { gateOf, resumeUngated, type KillHoldDependencies } from './kill-holds.js';
import { LastLook, NO_EXPLANATION, type IdentityExplainer } from './last-look.js';
import { readOutgoingObject, type OutgoingObject } from './outgoing-object.js';
import { causeOf, type PacsPeer } from './pacs-peer.js';
import { absentDelayMs, retryDelayMs, type RetryCause } from './retry-policy.js';
import { TokenBucket } from './token-bucket.js';
import { Verification, type LaneDeadlines } from './verification.js';

/** How long a status object waits for its study. @unit ms */
const STATUS_STUDY_ABSENT_MAX_MS = 86_400_000;
/** A wrong configuration is told again after this time. @unit ms */
const ALARM_INTERVAL_MS = 3_600_000;

/** Limits towards the PACS, of the configuration. */
export interface DeliverSettings extends Pick<DeliverConfig, 'associationsMax' | 'rate'> {
  readonly commitment?: CommitmentConfig | undefined;
}
export interface DeliverServiceDependencies extends KillHoldDependencies {
  readonly database: GatewayDatabase;
  readonly pacs: PacsPeer;
  readonly settings: DeliverSettings;
  /** Explains another identity in the PACS. @default nothing is explained */
  readonly explainer?: IdentityExplainer | undefined;
  /** Of the lanes: no report of a storage commitment is waited for longer than these. */
  readonly deadlines?: LaneDeadlines | undefined;
  /** Nothing is begun while it says so: the clock cannot be trusted. @default never */
  readonly isHeld?: (() => boolean) | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
  /** @default the disk of this machine */
  readonly files?: FileSystem | undefined;
  /** Uniform in [0, 1). @default Math.random */
  readonly random?: (() => number) | undefined;
  /** Called after the commit that ended the delivery of a job. */
  readonly onDone: (jobId: string) => void;
}
/** What a try has shown of the PACS. */
type Outcome =
  /** A C-STORE was answered as it should. */
  | 'stored'
  /** A C-STORE was refused for good: the PACS works, the try failed. */
  | 'refused'
  /** The PACS answered, but to queries only. */
  | 'asked';
/** A row in hand, as it is now. */
interface Hand {
  row: DeliveryRow;
  /** Its attempts hold the try that is going on. */
  isCounted: boolean;
}

export class DeliverService {
  readonly #store: DeliveryStore;
  readonly #verification: Verification;
  readonly #lastLook: LastLook;
  readonly #breaker: CircuitBreaker;
  readonly #limit: AttemptLimit;
  readonly #bucket: TokenBucket;
  readonly #random: () => number;
  readonly #inHand = new Set<DeliveryRow>();
  #isProbing = false;
  #alarmedAtMs = -Infinity;

  constructor(private readonly dependencies: DeliverServiceDependencies) {
    const { database, clock, settings } = dependencies;
    this.#random = dependencies.random ?? Math.random;
    this.#store = new DeliveryStore(database);
    const { explainer = NO_EXPLANATION } = dependencies;
    this.#lastLook = new LastLook({ ...dependencies, explainer, store: this.#store });
    this.#breaker = new CircuitBreaker(clock);
    this.#limit = new AttemptLimit(clock);
    this.#bucket = new TokenBucket(clock, settings.rate);
    this.#verification = new Verification({
      ...dependencies,
      ...{ store: this.#store, random: this.#random, commitment: settings.commitment },
      onEnd: (row, end) => this.#ended(row, end),
    });
  }

  get pacsState(): BreakerState {
    return this.#breaker.state;
  }
  /** A report of a storage commitment that came on an association of the PACS. */
  onCommitment(report: CommitmentReport): Promise<void> {
    return this.#verification.onReport(report);
  }

  /** Held jobs about whose patients more was said since; says how many are taken up. */
  resumeExplained(): Promise<number> {
    const { explainer = NO_EXPLANATION } = this.dependencies;
    return resumeExplained({ ...this.dependencies, explainer });
  }
  /** Held jobs that the kill switches let go by now; says how many are taken up. */
  resumeUngated(): Promise<number> {
    return resumeUngated(this.dependencies);
  }

  /** Handles the row that is due first; says how many that was. May run in several lanes. */
  async runOnce(): Promise<number> {
    if (this.dependencies.isHeld?.()) return 0;
    if (!(await this.#isPacsUp())) return 0;
    const isHalfOpen = this.#breaker.state === 'half-open';
    const lanes = isHalfOpen ? 1 : this.dependencies.settings.associationsMax;
    if (this.#inHand.size >= lanes || !this.#limit.mayBegin(false)) return 0;
    const mayRetry = this.#limit.mayBegin(true);
    const row = nextRow(this.dependencies.database, {
      nowMs: this.dependencies.clock.nowMs(),
      inHand: [...this.#inHand],
      mayStore: !isHalfOpen || mayRetry,
      mayRetry,
    });
    if (!row || !this.#bucket.take()) return 0;
    const isCharged = row.state === 'QUEUED' && (row.attempts > 0 || isHalfOpen);
    const attempt = this.#limit.begin(isCharged);
    this.#inHand.add(row);
    let isFailed = true;
    try {
      isFailed = await this.#handle(row);
    } finally {
      this.#inHand.delete(row);
      attempt.end(isFailed);
    }
    return 1;
  }

  async #isPacsUp(): Promise<boolean> {
    const { state } = this.#breaker;
    if (state !== 'probe') return state !== 'open';
    if (this.#isProbing || !this.#limit.mayBegin(true)) return false;
    const attempt = this.#limit.begin(true);
    this.#isProbing = true;
    try {
      await this.dependencies.pacs.echo();
      this.#breaker.probed();
      this.dependencies.logger.info('PACS answers again, one delivery is tried');
      return true;
    } catch (error) {
      this.#breaker.failed();
      if (causeOf(error) === 'misconfigured') this.#alarm();
      return false;
    } finally {
      this.#isProbing = false;
      // An echo is an attempt on a PACS in trouble, whatever comes of it.
      attempt.end(true);
    }
  }

  /** Whether the try failed. */
  async #handle(row: DeliveryRow): Promise<boolean> {
    const hand: Hand = { row, isCounted: false };
    try {
      const outcome = await this.#deliver(hand);
      if (outcome !== 'asked') this.#breaker.succeeded();
      return outcome === 'refused';
    } catch (error) {
      const cause = causeOf(error);
      await this.#failed(hand, cause, error);
      return cause !== 'own-fault';
    }
  }

  async #failed({ row, isCounted }: Hand, cause: RetryCause, error: unknown): Promise<void> {
    const { logger, clock } = this.dependencies;
    const attempts = isCounted ? row.attempts : row.attempts + 1;
    const fields = { jobId: row.job_id, attempt: attempts, state: cause };
    logger.fault('result is not delivered yet', error, fields);
    if (cause === 'misconfigured') this.#alarm();
    if (cause !== 'own-fault' && this.#breaker.failed()) {
      logger.warn('PACS does not answer, deliveries wait');
    }
    const atMs = clock.nowMs() + retryDelayMs(cause, attempts, this.#random);
    await this.#store.postpone(row, { atMs, attempts, fault: faultCode(cause, error) });
  }

  async #deliver(hand: Hand): Promise<Outcome> {
    const { row } = hand;
    if (row.state === 'STORED') {
      await this.#verification.step(row);
      return 'asked';
    }
    const object = await readOutgoingObject(row, this.dependencies.files);
    if (!object) {
      await this.#quarantine(row);
      return 'asked';
    }
    if (await this.#isThereAlready(hand)) return 'asked';
    const { clock, logger, explainer } = this.dependencies;
    // What is said from here on is a reason to look again, whatever the wall clock does.
    const identityVersion = explainer?.identityVersion?.(row.study_uid) ?? 0;
    const look = await this.#lastLook.at({ row, object });
    if (look.kind === 'send') {
      hand.row = look.row;
      return (await this.#isWithheld(look.row)) ? 'asked' : this.#send(hand, look.object);
    }
    if (look.kind === 'absent') {
      await this.#waitForStudy(row);
    } else if (look.kind === 'unsettled') {
      const nowMs = clock.nowMs();
      await this.#store.wait(row, nowMs + absentDelayMs(0, this.#random));
    } else {
      await this.#store.held(row, { atMs: clock.nowMs(), identityVersion });
      logger.warn('identity in the PACS differs, job is held', { jobId: row.job_id });
    }
    return 'asked';
  }

  /** Asked right before the bytes go; a status object tells that nothing was analysed: it goes. */
  async #isWithheld(row: DeliveryRow): Promise<boolean> {
    if (row.source !== 'delivery') return false;
    const verdict = gateOf(this.dependencies, row.job_id);
    if (verdict.kind === 'deliver') return false;
    const { clock, logger } = this.dependencies;
    const { code, reason } = verdict;
    crashPoint('gateway.kill-hold.before-hold');
    await this.#store.withheld(row, { code, reason, atMs: clock.nowMs() });
    crashPoint('gateway.kill-hold.after-hold');
    logger.warn('result is held by a kill switch', {
      jobId: row.job_id,
      code,
      state: verdict.kind,
    });
    return true;
  }

  /**
   * The last attempt may have reached the PACS although we do not know (crash, silence). One that
   * the PACS has disowned by a storage commitment is sent again whatever its index says.
   */
  async #isThereAlready(hand: Hand): Promise<boolean> {
    const { row } = hand;
    const { pacs, settings } = this.dependencies;
    const mayBeThere = row.attempts > 0 || row.replays > 0;
    if (!mayBeThere || row.transaction_uid !== null) return false;
    const { study_uid: study, series_uid: series, sop_instance_uid: instance } = row;
    if (!(await pacs.findInstance(study, series, instance))) return false;
    if (!settings.commitment) {
      await this.#verification.verified(row);
      return true;
    }
    hand.row = await this.#store.stored(row, row.dimse_status ?? 0);
    await this.#verification.step(hand.row);
    return true;
  }

  /** Results wait until the deadline of their lane, which has passed for most status objects. */
  async #waitForStudy(row: DeliveryRow): Promise<void> {
    const { clock, logger } = this.dependencies;
    const nowMs = clock.nowMs();
    const waitedMs = nowMs - row.since_ms;
    if (row.source === 'delivery' || waitedMs < STATUS_STUDY_ABSENT_MAX_MS) {
      return this.#store.wait(row, nowMs + absentDelayMs(waitedMs, this.#random));
    }
    logger.error('study never came to the PACS, its status is on the page', { jobId: row.job_id });
    await this.#store.abandoned(row, nowMs);
  }

  async #send(hand: Hand, object: OutgoingObject): Promise<Outcome> {
    hand.row = await this.#store.countAttempt(hand.row);
    hand.isCounted = true;
    crashPoint('gateway.deliver.before-store');
    let status: number | undefined;
    try {
      status = await this.dependencies.pacs.store(object);
    } catch (error) {
      // Of a C-STORE only: a PACS that takes no queries of ours is a wrong configuration.
      if (AifiError.from(error).code !== 'PEER_REFUSED') throw error;
    }
    crashPoint('gateway.deliver.after-store');
    const verdict = status === undefined ? 'refused' : storeVerdict(status);
    if (verdict === 'refused') {
      await this.#refuse(hand.row, status);
      return 'refused';
    }
    if (verdict === 'retry') {
      const cause = new PeerStatus(status!);
      throw new AifiError('PEER_UNAVAILABLE', 'the PACS could not store now', { cause });
    }
    if (status !== 0) this.#noteStatus(hand.row, status!);
    hand.row = await this.#store.stored(hand.row, status!);
    hand.isCounted = false;
    crashPoint('gateway.deliver.after-row');
    this.#breaker.succeeded();
    await this.#verification.step(hand.row);
    return 'stored';
  }

  #noteStatus({ job_id: jobId }: DeliveryRow, status: number): void {
    const { logger } = this.dependencies;
    logger.info('PACS stored a result with a remark', { jobId, status: hexadecimal(status) });
  }
  async #quarantine(row: DeliveryRow): Promise<void> {
    const { clock, logger } = this.dependencies;
    logger.error('result on disk is damaged', { jobId: row.job_id });
    await this.#store.quarantined(row, clock.nowMs());
  }
  async #refuse(row: DeliveryRow, status: number | undefined): Promise<void> {
    const { clock, logger } = this.dependencies;
    const death = { code: 'PEER_REFUSED', atMs: clock.nowMs(), dimseStatus: status } as const;
    const end = await this.#store.dead(row, death);
    logger.error('PACS refused a result', {
      jobId: row.job_id,
      code: 'PACS_REFUSED',
      status: hexadecimal(status ?? 0),
    });
    if (end) this.#ended(row, end);
  }
  #ended({ job_id: jobId }: DeliveryRow, state: JobEnd): void {
    this.dependencies.logger.info('delivery ended', { jobId, state });
    this.dependencies.onDone(jobId);
  }
  /** People must mend it; until then everything waits and nothing is given up by us. */
  #alarm(): void {
    const nowMs = this.dependencies.clock.monotonicMs();
    if (nowMs - this.#alarmedAtMs < ALARM_INTERVAL_MS) return;
    this.#alarmedAtMs = nowMs;
    const code = 'CONFIG_INVALID';
    this.dependencies.logger.error('PACS rejects us: configuration of PACS or gateway', { code });
  }
}

const hexadecimal = (status: number): string => status.toString(16).padStart(4, '0');

/** What the page tells of the last try. */
function faultCode(cause: RetryCause, error: unknown): AifiError['code'] {
  return cause === 'misconfigured' ? 'CONFIG_INVALID' : AifiError.from(error).code;
}
