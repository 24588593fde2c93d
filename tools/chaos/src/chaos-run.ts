/**
 * ChaosRun: several hospitals under load while everything around them breaks, then quiet, then the
 * question whether all is as it should be.
 * Decides the phases: start, trouble, heal, settle (120 s at most), collect, check.
 * Invariants: everything random comes from the seed; on every way out all processes are ended and
 * the folders removed. Source: reliability specification 3 ("heal, wait <= 120 s, then check").
 */
import { join } from 'node:path';
import { Stack, type Edge, type StackParts } from '@aifi/demo';
import {
  ClockShift,
  DatabaseServer,
  FaultProxy,
  SeededChance,
  SmallDisk,
} from '@aifi/fault-injection';
import { systemClock } from '@aifi/shared-kernel';
import { temporaryFolder } from '@aifi/shared-testing';
import {
  backlogOf,
  gatewaySettings,
  HUB_SETTINGS,
  isPossibleAt,
  isSettled,
  type ChaosSite,
  type EdgeKind,
} from './chaos-site.js';
import { ageGateway, HubAgeing } from './ageing.js';
import { check, type Verdict } from './checker.js';
import { collect } from './collect.js';
import { Coverage } from './coverage.js';
import { History } from './history.js';
import { KillSchedule } from './kill-schedule.js';
import { LostResult } from './lost-result.js';
import { PRODUCTS, writeOracleModels } from './oracle-models.js';
import { SiteFaults } from './site-faults.js';
import { Supervisor } from './supervisor.js';
import { Traffic } from './traffic.js';

export interface ChaosOrder {
  readonly seed: string;
  readonly siteIds: readonly string[];
  /** Time of trouble at most; it ends sooner when all kills and points are done. @unit ms */
  readonly troubleMs: number;
  readonly kills: number;
  /** Time in which these are made. @unit ms @default nine tenths of `troubleMs` */
  readonly killsWithinMs?: number | undefined;
  readonly points: readonly string[];
  /** Hits of each point. */
  readonly hitsEach: number;
  /** Of one site; undefined: no limit. */
  readonly studiesMax?: number | undefined;
  /** Studies of one site under way at once. @default few */
  readonly atOnce?: number | undefined;
  /**
   * Longest fault of network, clock and disk, and mean time between two; none: a calm run, which
   * is over when all studies have their end. @unit ms
   */
  readonly faults: { readonly longestMs: number; readonly everyMs: number } | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly say: (line: string) => void;
  readonly signal?: AbortSignal | undefined;
  /** Told before anything is removed when the verdict has problems, or there is none. */
  readonly onFailure?: (history: History, parts: StackParts) => void;
}
export interface ChaosReport extends Verdict {
  readonly seed: string;
  readonly kills: number;
  /** Besides: kills that only made a process ready for another crash point. */
  readonly rearmed: number;
  readonly hits: Readonly<Record<string, number>>;
  /** Points below the wanted number of hits. */
  readonly open: readonly string[];
  readonly faults: Readonly<Record<string, number>>;
  readonly restarts: number;
  readonly troubleSeconds: number;
  readonly settleSeconds: number;
}

/** Short: the studies have one instance. @unit ms */
const QUIET_MS = 1_500;
const SETTLE_MS_MAX = 120_000;
const PROGRESS_MS = 10_000;
const LOOK_MS = 500;
/** All studies that are under way fit, with results; it is filled on purpose. @unit bytes */
const DISK_BYTES = 512 * 1024 * 1024;
/** The site whose gateway has it: its files do not stay. */
const DISK_SITE = 1;
const EDGE_KINDS: readonly EdgeKind[] = ['dicom', 'link', 'pacs'];
const PACS_SETTINGS = {
  ...{ DicomScuTimeout: 10, JobsHistorySize: 500 },
  // Five of them beside everything else on two cores.
  ...{ HttpThreadsCount: 6, DicomThreadsCount: 4, ConcurrentJobs: 3 },
};

/**
 * A hub that dies every few seconds lets nothing pass, and gateways wait for work: after some lives
 * that end at a point it has one that does not.
 */
const [HUB_TURN_MS, HUB_REST_MS] = [30_000, 15_000];
const isTurnOfHub = (nowMs: number): boolean => nowMs % (HUB_TURN_MS + HUB_REST_MS) < HUB_TURN_MS;

export async function runChaos(order: ChaosOrder): Promise<ChaosReport> {
  const run = new ChaosRun(order);
  try {
    return await run.run();
  } finally {
    await run.close();
  }
}

class ChaosRun {
  readonly #folder = temporaryFolder('chaos');
  readonly #history = new History(join(this.#folder.path, 'history.jsonl'));
  readonly #proxies = new Map<string, FaultProxy>();
  readonly #clocks = new Map<string, ClockShift>();
  readonly #lost = new Map<string, LostResult>();
  readonly #chance: SeededChance;
  readonly #coverage: Coverage;
  readonly #isMountAllowed = SmallDisk.isAllowed();
  #disk: SmallDisk | undefined;
  #ageing!: HubAgeing;
  #stack: Stack | undefined;
  #supervisors: Supervisor[] = [];
  #isJudged = false;

  constructor(private readonly order: ChaosOrder) {
    const { seed, points, hitsEach, siteIds } = order;
    this.#chance = new SeededChance(seed);
    const siteOf = (process: string): number => siteIds.indexOf(process.replace('gateway-', ''));
    this.#coverage = new Coverage({
      ...{ points, goal: hitsEach, chance: this.#chance.of('coverage') },
      isPossibleAt: (point, process) =>
        process === 'hub' ? true : isPossibleAt(point, siteOf(process)),
      isTurnOf: (app) => app !== 'hub' || isTurnOfHub(systemClock.monotonicMs()),
    });
  }

  async run(): Promise<ChaosReport> {
    const { seed, siteIds, say } = this.order;
    this.#history.add({ kind: 'run', seed, siteIds, products: PRODUCTS });
    this.#sayWhatIsMissing();
    this.#stack = await this.#start();
    const parts = this.#stack.parts;
    this.#ageing = new HubAgeing(parts.hubFolder);
    const { coverage, history } = { coverage: this.#coverage, history: this.#history };
    const make = (
      process: StackParts['hub'],
      app?: 'gateway' | 'hub',
      beforeArmed?: (point: string) => void,
    ): Supervisor => new Supervisor({ process, app, coverage, history, beforeArmed });
    const [hub, worker] = [make(parts.hub, 'hub'), make(parts.worker)];
    const sites = parts.hospitals.map((hospital, index): ChaosSite => {
      const { siteId } = hospital;
      const edge = (kind: EdgeKind): FaultProxy => this.#proxies.get(`${kind} ${siteId}`)!;
      return {
        ...{ hospital, index, clock: this.#clocks.get(`gateway-${siteId}`) },
        supervisor: make(hospital.gatewayProcess, 'gateway', (point) =>
          ageGateway(hospital.gatewayFolder, point),
        ),
        edges: { dicom: edge('dicom'), link: edge('link'), pacs: edge('pacs') },
        lostResult: this.#lost.get(siteId)!,
        disk: index === DISK_SITE ? this.#disk : undefined,
      };
    });
    this.#supervisors = [hub, worker, ...sites.map(({ supervisor }) => supervisor)];
    const database = new DatabaseServer(join(parts.hubFolder, 'postgres', 'data'));
    const report = await this.#troubleThenCheck({ sites, hub, worker, database });
    say(`${report.problems.length} violations`);
    return report;
  }

  async close(): Promise<void> {
    await Promise.all(this.#supervisors.map((supervisor) => supervisor.release()));
    if (!this.#isJudged && this.#stack) {
      this.order.onFailure?.(this.#history, this.#stack.parts);
    }
    await Promise.all([...this.#proxies.values()].map((proxy) => proxy.close()));
    await this.#stack?.stop();
    ClockShift.sweep();
    this.#folder.remove();
  }

  #sayWhatIsMissing(): void {
    const { say, siteIds } = this.order;
    for (const siteId of siteIds) {
      const clock = ClockShift.in(this.#folder.path, siteId);
      if (clock) this.#clocks.set(`gateway-${siteId}`, clock);
    }
    if (this.#clocks.size === 0) say('no libfaketime: no clock is shifted');
    if (!this.#isMountAllowed) say('mounting is not allowed: no disk is filled');
  }

  async #start(): Promise<Stack> {
    const { siteIds, environment, say, signal } = this.order;
    const modelsFolder = join(this.#folder.path, 'models');
    writeOracleModels(modelsFolder);
    const starting = new AbortController();
    const stop = (): void => starting.abort();
    signal?.addEventListener('abort', stop);
    const stack = await Stack.start({
      ...{ siteIds, environment, say, modelsFolder, quietMs: QUIET_MS, signal: starting.signal },
      hubSettings: HUB_SETTINGS,
      gatewaySettings: (siteId) => gatewaySettings(siteIds.indexOf(siteId)),
      pacsSettings: (siteId) => {
        const lost = new LostResult(this.#folder.path, siteId);
        this.#lost.set(siteId, lost);
        return { ...PACS_SETTINGS, LuaScripts: [lost.script] };
      },
      environmentOf: (name) => this.#clocks.get(name)?.environment ?? {},
      reroute: (edge) => this.#reroute(edge),
      prepared: (parts, watchdog) => {
        watchdog.watchFolder(this.#folder.path);
        const { gatewayFolder } = parts.hospitals[DISK_SITE] ?? {};
        if (!this.#isMountAllowed || !this.order.faults || !gatewayFolder) return;
        watchdog.watchMount(gatewayFolder);
        this.#disk = SmallDisk.over(gatewayFolder, DISK_BYTES);
      },
    });
    // From here on the supervisors go first: they would start again what a stop ends.
    signal?.removeEventListener('abort', stop);
    return stack;
  }

  async #reroute({ kind, siteId, port }: Edge): Promise<number> {
    if (!EDGE_KINDS.includes(kind)) return port;
    const chance = this.#chance.of(`${kind} ${siteId}`);
    const proxy = await FaultProxy.start({ targetPort: port, random: () => chance.next() });
    this.#proxies.set(`${kind} ${siteId}`, proxy);
    return proxy.port;
  }

  async #troubleThenCheck(parts: Trouble): Promise<ChaosReport> {
    const { sites, hub, worker } = parts;
    const { seed, signal, troubleMs, kills, faults, studiesMax, atOnce } = this.order;
    const history = this.#history;
    const trouble = new AbortController();
    const isOver = AbortSignal.any([trouble.signal, ...(signal ? [signal] : [])]);
    const common = { chance: this.#chance.of('faults'), history, ...parts };
    const siteFaults = faults && new SiteFaults({ ...common, ...faults, centre: [hub, worker] });
    const schedule = new KillSchedule({
      ...{ ...common, chance: this.#chance.of('kills'), coverage: this.#coverage },
      ...{ kills, durationMs: this.order.killsWithinMs ?? troubleMs * 0.9 },
    });
    const nowMs = systemClock.nowMs();
    const traffic = sites.map((site) => {
      const chance = this.#chance.of(`traffic ${site.index}`);
      const runId = `chaos-${seed}`;
      return new Traffic({ site, history, chance, runId, nowMs, studiesMax, atOnce });
    });
    for (const supervisor of this.#supervisors) supervisor.supervise();
    const fromMs = systemClock.monotonicMs();
    const progress = this.#tell(sites, schedule, isOver);
    const sending = traffic.map((one) => one.run(isOver));
    const breaking = [siteFaults?.run(isOver), this.#ageing.run(isOver)];
    const killing = [schedule.run(isOver), schedule.rearm(isOver)];
    const untilMs = fromMs + troubleMs;
    const isLeft = (): boolean =>
      schedule.done < kills ||
      this.#coverage.open.length > 0 ||
      (!faults && !(traffic.every(({ hasMore }) => !hasMore) && isQuiet(sites, traffic)));
    while (!isOver.aborted && systemClock.monotonicMs() < untilMs && isLeft()) {
      await systemClock.sleep(LOOK_MS, isOver);
    }
    trouble.abort();
    await Promise.all([...breaking, ...sending, ...killing, progress]);
    const troubleSeconds = (systemClock.monotonicMs() - fromMs) / 1_000;
    const settleSeconds = await this.#settle(sites, traffic, siteFaults);
    signal?.throwIfAborted();
    for (const site of sites) await collect(site, history);
    const verdict = check(history.events);
    this.#isJudged = verdict.problems.length === 0;
    const { points } = this.order;
    return {
      ...{ ...verdict, seed, kills: schedule.done, faults: siteFaults?.counts ?? {} },
      rearmed: schedule.rearmed,
      hits: Object.fromEntries(points.map((point) => [point, this.#coverage.hitsOf(point)])),
      open: this.#coverage.open,
      restarts: this.#supervisors.reduce((sum, { restarts }) => sum + restarts, 0),
      ...{ troubleSeconds, settleSeconds },
    };
  }

  /** Everything works again; says how long the rest of the work took. @returns seconds */
  async #settle(
    sites: readonly ChaosSite[],
    traffic: readonly Traffic[],
    siteFaults: SiteFaults | undefined,
  ): Promise<number> {
    const { say, signal } = this.order;
    await siteFaults?.heal();
    await Promise.all(this.#supervisors.map((supervisor) => supervisor.disarm()));
    this.#history.add({ kind: 'healed' });
    say('healed; waiting for the rest');
    const fromMs = systemClock.monotonicMs();
    const elapsedMs = (): number => systemClock.monotonicMs() - fromMs;
    while (!signal?.aborted && elapsedMs() < SETTLE_MS_MAX && !isQuiet(sites, traffic)) {
      await systemClock.sleep(LOOK_MS, signal);
    }
    const seconds = elapsedMs() / 1_000;
    const openJobs = sites.reduce((sum, site) => sum + (backlogOf(site)?.openJobs ?? 0), 0);
    this.#history.add({ kind: 'settled', seconds, openJobs });
    // Records of the audit trail follow the journal within a second or two.
    await systemClock.sleep(3_000, signal);
    return seconds;
  }

  async #tell(
    sites: readonly ChaosSite[],
    schedule: KillSchedule,
    signal: AbortSignal,
  ): Promise<void> {
    const { points, hitsEach, say } = this.order;
    const fromMs = systemClock.monotonicMs();
    while (!signal.aborted) {
      await systemClock.sleep(PROGRESS_MS, signal);
      const seconds = Math.round((systemClock.monotonicMs() - fromMs) / 1_000);
      const hits = points.map((point) => Math.min(hitsEach, this.#coverage.hitsOf(point)));
      const total = hits.reduce((sum, count) => sum + count, 0);
      const backlog = sites.map((site) => backlogOf(site)?.openJobs ?? '?').join('/');
      const accepted = this.#history.of('accepted').length;
      say(
        `${String(seconds).padStart(5)} s  kills ${schedule.done}  ` +
          `points ${total}/${points.length * hitsEach}  accepted ${accepted}  open ${backlog}`,
      );
    }
  }
}

function isQuiet(sites: readonly ChaosSite[], traffic: readonly Traffic[]): boolean {
  return (
    traffic.every(({ sending }) => sending === 0) &&
    sites.every((site) => isSettled(backlogOf(site)))
  );
}

interface Trouble {
  readonly sites: readonly ChaosSite[];
  readonly hub: Supervisor;
  readonly worker: Supervisor;
  readonly database: DatabaseServer;
}
