/**
 * Simulation: one schedule, from its seed to its verdict.
 * Decides what is sent and what goes wrong, runs until all is over, lets everything heal, and asks
 * the reference model. Invariants: one seed, one schedule, one trace; nothing outlives a schedule
 * but databases that were cleared and keys.
 * Source: reliability specification 3 (deterministic simulation).
 */
import { onCrashPoint, type JobId } from '@aifi/shared-kernel';
import { brokenMessage } from './broken-messages.js';
import type { Bug } from './bugs.js';
import { checkEnd } from './end-checks.js';
import { faultPlan, NO_TROUBLE, type FaultPlan } from './fault-plan.js';
import { injectFaults } from './fault-injection.js';
import { patientOf, SITES, studyOf, type Study } from './hospital.js';
import { HubAccess, HubProcess } from './hub-access.js';
import { Random } from './random.js';
import { ReferenceModel } from './reference-model.js';
import { GatewayRows, SimGateway } from './sim-gateway.js';
import { HubRows } from './sim-hub.js';
import { SimLink } from './sim-link.js';
import { SimPacs } from './sim-pacs.js';
import { Died, World } from './world.js';
import { sendStudies } from './modality.js';

/** Everything heals within this time; what does not is a finding. @unit ms */
const HEALING_MS = 2 * 3_600_000;

export interface Site {
  readonly gateway: SimGateway;
  readonly pacs: SimPacs;
  readonly link: SimLink;
  readonly studies: readonly Study[];
}
export interface Simulated {
  readonly world: World;
  readonly random: Random;
  readonly plan: FaultPlan;
  readonly model: ReferenceModel;
  readonly sites: readonly Site[];
  readonly rows: HubRows;
  readonly hub: { process: HubProcess | undefined };
  startHub(): void;
  /** True while faults may happen. */
  isTroubled(): boolean;
  /** Instances that were not accepted yet. */
  unsent: number;
}
export interface Verdict {
  readonly seed: number;
  readonly violations: readonly string[];
  readonly events: number;
  /** Results that reached a PACS. */
  readonly results: number;
}
export interface SimulationOptions {
  readonly bug?: Bug | undefined;
  readonly trace?: ((line: string) => void) | undefined;
  /** What is sent, what goes wrong and what else happens, in place of the seed's choices. */
  readonly scenario?: Scenario | undefined;
}
export interface Scenario {
  readonly plan: FaultPlan;
  readonly studies: readonly Study[];
  readonly script: (simulated: Simulated) => void;
  /** Acute products start while a study still arrives. @default false */
  readonly startsEarly?: boolean;
  /** What must be true at the end beside everything else. */
  readonly check?: (simulated: Simulated) => void;
  /** When the study of an index begins to come. @unit ms */
  readonly sendAtMs: (index: number) => number;
}

const gatewayRows = SITES.map(() => new GatewayRows());

export async function simulate(seed: number, options: SimulationOptions = {}): Promise<Verdict> {
  const random = new Random(seed);
  const { scenario } = options;
  const plan = scenario?.plan ?? faultPlan(random);
  const studies = scenario?.studies ?? plannedStudies(random);
  const mathRandom = Math.random;
  const { stackTraceLimit } = Error;
  // Faults are many, and nobody looks where they came from.
  Error.stackTraceLimit = 0;
  Math.random = random.split().next;
  const simulated = assemble({ random, plan, studies, options });
  const { world, model } = simulated;
  try {
    onCrashPoint((name) => passed(simulated, name));
    simulated.startHub();
    for (const { gateway } of simulated.sites) gateway.start();
    injectFaults(simulated);
    sendStudies(simulated, scenario?.sendAtMs);
    scenario?.script(simulated);
    const endMs = plan.untilMs + HEALING_MS;
    // Half of them end as soon as nothing is under way: faults that come then find nothing.
    const waitsMs = random.chance(0.5) ? plan.untilMs : 0;
    // What was planted and found may go on for ever.
    const isFound = (): boolean => options.bug !== undefined && model.violations.length > 0;
    await world.run(endMs, () => isFound() || (world.nowMs > waitsMs && isOver(simulated)));
    checkEnd(simulated);
    scenario?.check?.(simulated);
  } finally {
    onCrashPoint(undefined);
    Math.random = mathRandom;
    Error.stackTraceLimit = stackTraceLimit;
    for (const { gateway } of simulated.sites) gateway.end('kill');
    simulated.hub.process?.life.end();
    for (const rows of gatewayRows) rows.clear();
  }
  const { violations, results } = model;
  return { seed, violations, events: world.events, results };
}

function plannedStudies(random: Random): Study[] {
  const sites = random.pick([1, 2, 2, 2, 3]);
  const count = random.pick([1, 1, 2, 2, 3, 4]);
  return Array.from({ length: Math.max(count, sites) }, (_, index) => {
    const { siteId } = SITES[index % sites]!;
    // The same number at two sites: the same Study and SOP Instance UIDs.
    const number = Math.floor(index / sites);
    const counts = random.chance(0.4) ? [1, 1] : [random.int(1, 2)];
    const patient = patientOf(siteId, random.int(0, 1));
    return studyOf({
      siteId,
      number,
      patient,
      modality: random.pick(['CT', 'MR'] as const),
      counts,
    });
  });
}

interface Assembly {
  readonly random: Random;
  readonly plan: FaultPlan;
  readonly studies: readonly Study[];
  readonly options: SimulationOptions;
}

function assemble({ random, plan, studies, options }: Assembly): Simulated {
  const world = new World(random.split(), options.trace);
  const model = new ReferenceModel(world);
  const rows = new HubRows();
  const hub: Simulated['hub'] = { process: undefined };
  const isTroubled = (): boolean => world.nowMs < plan.untilMs;
  const now = (): FaultPlan => (isTroubled() ? plan : NO_TROUBLE);
  const hubRandom = random.split();
  const { bug } = options;
  const worker = { troubles: () => now().worker };
  const startHub = (): void => {
    hub.process = new HubProcess({ world, rows, model, bug, worker, random: hubRandom });
  };
  const used = SITES.filter(({ siteId }) => studies.some((study) => study.siteId === siteId));
  const sites = used.map(({ siteId, ring }): Site => {
    const pacs = new SimPacs(siteId, world, {
      ...{ random: random.split(), model, troubles: () => now().pacs },
    });
    const link = new SimLink(
      world,
      random.split(),
      () => now().link,
      () => hub.process?.life,
    );
    const own = studies.filter((study) => study.siteId === siteId);
    let jobs = 0;
    const access: HubAccess = new HubAccess({
      ...{ world, siteId, link, bug, model, hub: () => hub.process },
      isLinked: (jobId) => gateway.vault?.linkage(jobId) !== undefined,
      received: (message, stream) => brokenMessage(bug, gateway, message, stream),
    });
    const gateway: SimGateway = new SimGateway({
      ...{ world, siteId, ring, pacs, model, bug, hub: access, random: random.split() },
      rows: gatewayRows[SITES.findIndex((site) => site.siteId === siteId)]!,
      startsEarly: options.scenario?.startsEarly ?? false,
      newJobId: () => String((jobs += 1)).padStart(32, '0') as JobId,
      linkageSwaps: () => now().linkageSwaps,
      onSyncFailure: () => endGateway({ world, random }, gateway, 'power'),
    });
    return { gateway, pacs, link, studies: own };
  });
  const unsent = 0;
  return { world, random, plan, model, sites, rows, hub, startHub, isTroubled, unsent };
}

/** Somebody passes a crash point: in times of trouble it may be the last thing. */
function passed(simulated: Simulated, name: string): void {
  const { world, plan, random, sites } = simulated;
  const life = world.current;
  if (!life?.isAlive || !simulated.isTroubled() || !random.chance(plan.crashPoints)) return;
  world.note(`${life.node} dies at ${name}`);
  if (life.node === 'hub') {
    endHub(simulated);
  } else {
    const site = sites.find(({ gateway }) => gateway.life === life)!;
    endGateway(simulated, site.gateway, random.chance(0.3) ? 'power' : 'kill');
  }
  // A group commit of objects runs by itself, and nobody hears its faults; its ports are dead.
  if (!name.startsWith('hub.ingest.object-')) throw new Died();
}

const RESTART_MS_MAX = 20_000;
export function endGateway(
  { world, random }: Pick<Simulated, 'world' | 'random'>,
  gateway: SimGateway,
  how: 'kill' | 'power',
): void {
  if (!gateway.life) return;
  gateway.end(how);
  world.in(random.int(500, RESTART_MS_MAX), undefined, () => {
    if (!gateway.life) gateway.start();
  });
}
export function endHub({ world, random, hub, startHub }: Simulated): void {
  const { process } = hub;
  if (!process) return;
  hub.process = undefined;
  process.life.end();
  world.in(random.int(500, RESTART_MS_MAX), undefined, () => {
    if (!hub.process) startHub();
  });
}

/** Events between two looks whether all is over. */
const LOOK_EVERY = 20;

/** Nothing is under way any more. */
function isOver({ sites, unsent, world, model }: Simulated): boolean {
  // Looking costs more than an event.
  if (unsent > 0 || world.events % LOOK_EVERY !== 0) return false;
  return sites.every(({ gateway, studies }) => {
    const held = studies.map(({ studyUid }) => studyUid);
    const isStranger = (uid: string): boolean => model.isStudyExcused(gateway.parts.siteId, uid);
    return gateway.life && gateway.untold === 0 && gateway.isIdle(held.filter(isStranger));
  });
}
