/**
 * Pseudonymise bench: a CT study through our command and through the tools that sites use, beside
 * reading, writing and syncing the same bytes, all of them in every round.
 * Decides what counts as fast: only beside what a tool leaves of a planted file. Invariants: every
 * run wrote every file; the order is the same in every round; a tool that cannot be had is named.
 * Source: pseudonymisation specification 1.7, 3 (5); reliability specification B2.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { countMarkers, plantMarkers } from '@aifi/dicom-deidentification-check';
import { AifiError } from '@aifi/shared-kernel';
import { machineFacts, type MachineFacts } from '../machine-facts.js';
import { ratioOf, spreadOf, type Spread } from '../statistics.js';
import { writeCtStudy } from './ct-study.js';
import {
  benchKeys,
  copy,
  dcmodify,
  DURABLE,
  gdcmanon,
  ourTools,
  pydicom,
  UNOBTAINABLE,
  type Deidentifier,
  type DeidentifierFacts,
} from './deidentifier.js';
import type { Cost } from './measured-process.js';
import { orthanc } from './orthanc-anonymiser.js';
import { resident, type ResidentOrder } from './resident.js';

const MEGABYTE = 1e6;
const MEBIBYTE = 1024 * 1024;
/** Processes share of plain copying that is asked for (B-line of the specification). */
const COPY_SHARE = 0.6;
const MEMORY_MAX = 200 * MEBIBYTE;
const COPY_WIDTHS = [1, 4] as const;
/** What is compared with which copying: with one that has to start, or one that runs already. */
export interface Tools {
  readonly copies: readonly string[];
  readonly command: string;
  readonly engine: string;
  readonly residentCopy: string;
  readonly residents: readonly string[];
}

export interface PseudonymiseBenchOptions {
  /** Everything is written below it; the caller removes it. */
  readonly folder: string;
  readonly rounds: number;
  readonly objects: number;
  readonly say?: (line: string) => void;
}
export interface PseudonymiseRound extends Cost {
  readonly tool: string;
  readonly round: number;
}
export interface PseudonymiseResult {
  readonly tool: string;
  readonly seconds: Spread;
  readonly megabytesPerSecond: Spread;
  readonly processorSeconds: Spread;
  /** @unit bytes */
  readonly residentBytesPeak: number;
  /** Throughput as a share of plain copying, round by round. */
  readonly shareOfCopy: Readonly<Record<string, Spread>>;
  /** Of the planted markers; null for what only copies, and when nothing came out. */
  readonly markersLeft: number | null;
}
export interface Target {
  readonly name: string;
  readonly isMet: boolean;
  readonly measured: string;
}
export interface PseudonymiseBenchReport {
  readonly version: 1;
  readonly bench: 'pseudonymise';
  readonly machine: MachineFacts;
  readonly settings: {
    readonly objects: number;
    readonly bytes: number;
    readonly rounds: number;
    readonly markersPlanted: number;
  };
  readonly tools: readonly DeidentifierFacts[];
  readonly unobtainable: readonly string[];
  readonly results: readonly PseudonymiseResult[];
  readonly targets: readonly Target[];
  readonly rounds: readonly PseudonymiseRound[];
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

class Workplace {
  readonly input: string;
  readonly bytes: number;
  readonly #planted: string;
  #markers: readonly string[] = [];

  constructor(
    private readonly folder: string,
    readonly objects: number,
  ) {
    this.input = join(folder, 'study');
    this.bytes = writeCtStudy(this.input, objects);
    this.#planted = join(folder, 'planted');
  }
  get markersPlanted(): number {
    return this.#markers.length;
  }

  async plant(): Promise<void> {
    mkdirSync(this.#planted);
    const { file, markers } = await plantMarkers(join(this.input, '00000.dcm'));
    writeFileSync(join(this.#planted, '00000.dcm'), file);
    this.#markers = markers;
  }

  /** One run over the study; its output is looked at and removed. */
  async run(tool: Deidentifier): Promise<Cost> {
    return this.#inEmptyFolder(async (output) => {
      // What one tool has not yet written must not be written while the next one is measured.
      execFileSync('sync');
      const cost = await tool.run(this.input, output);
      const written = filesBelow(output).length;
      if (written !== this.objects) {
        const words = `${tool.facts.name} wrote ${written} of ${this.objects} files`;
        throw new AifiError('PEER_REFUSED', words);
      }
      return cost;
    });
  }

  /** Markers in what a tool makes of the planted file; null when it makes nothing of it. */
  markersLeft(tool: Deidentifier): Promise<number | null> {
    return this.#inEmptyFolder(async (output) => {
      await tool.run(this.#planted, output).catch(() => undefined);
      const files = filesBelow(output);
      if (files.length === 0) return null;
      return countMarkers(Buffer.concat(files.map((file) => readFileSync(file))), this.#markers);
    });
  }

  async #inEmptyFolder<T>(work: (output: string) => Promise<T>): Promise<T> {
    const output = join(this.folder, 'out');
    mkdirSync(output);
    try {
      return await work(output);
    } finally {
      rmSync(output, { recursive: true, force: true });
    }
  }
}

/** Copies first, then ours, then the others. */
async function startAll(folder: string, started: Deidentifier[]): Promise<Tools> {
  const key = await benchKeys(folder);
  const staying = (what: ResidentOrder['what']): Deidentifier => resident(what, key, DURABLE);
  const copies = COPY_WIDTHS.map(copy);
  const [command, engine] = ourTools(folder, key);
  const residentCopy = staying('copy');
  const residents = [staying('engine'), staying('gateway')];
  started.push(...copies, residentCopy, command, engine, ...residents);
  // One after the other, so that those before a failure can be stopped.
  started.push(await orthanc(folder), gdcmanon(folder), dcmodify(), pydicom());
  const nameOf = ({ facts }: Deidentifier): string => facts.name;
  return {
    copies: [...copies, residentCopy].map(nameOf),
    ...{ command: nameOf(command), engine: nameOf(engine), residentCopy: nameOf(residentCopy) },
    residents: residents.map(nameOf),
  };
}

function resultsOf(
  rounds: readonly PseudonymiseRound[],
  bytes: number,
  left: ReadonlyMap<string, number | null>,
  copies: readonly string[],
): PseudonymiseResult[] {
  const of = (tool: string): PseudonymiseRound[] => rounds.filter((one) => one.tool === tool);
  const ratesOf = (tool: string): number[] => of(tool).map((one) => bytes / MEGABYTE / one.seconds);
  return [...new Set(rounds.map(({ tool }) => tool))].map((tool) => ({
    tool,
    seconds: spreadOf(of(tool).map(({ seconds }) => seconds)),
    megabytesPerSecond: spreadOf(ratesOf(tool)),
    processorSeconds: spreadOf(of(tool).map(({ processorSeconds }) => processorSeconds)),
    residentBytesPeak: Math.max(...of(tool).map(({ residentBytesPeak }) => residentBytesPeak)),
    shareOfCopy: Object.fromEntries(
      copies.map((base) => [base, ratioOf(ratesOf(tool), ratesOf(base))]),
    ),
    markersLeft: left.get(tool) ?? null,
  }));
}

/** The lines that the specification asks for, of what was measured here. */
export function targetsOf(results: readonly PseudonymiseResult[], tools: Tools): Target[] {
  const { command, engine, copies, residentCopy, residents } = tools;
  const of = (name: string): PseudonymiseResult => results.find(({ tool }) => tool === name)!;
  const own = of(command);
  const ours = new Set([command, engine, ...residents]);
  const rivals = results.filter(({ tool, markersLeft }) => !ours.has(tool) && markersLeft === 0);
  const faster = rivals.every(({ seconds }) => seconds.median > own.seconds.median);
  const engineLeft = of(engine).markersLeft;
  const pairs = [
    ...[command, engine].map((tool) => [tool, copies[0]!] as const),
    ...residents.map((tool) => [tool, residentCopy] as const),
  ];
  return [
    {
      name: 'no marker left',
      isMet: (own.markersLeft ?? 0) === 0 && engineLeft === 0,
      measured: `command ${own.markersLeft ?? 'quarantines the file'}, engine ${engineLeft}`,
    },
    {
      name: 'faster than all that leave no marker',
      isMet: faster,
      measured: rivals.length === 0 ? 'no other tool leaves none' : `${rivals.length} compared`,
    },
    ...pairs.map(([tool, base]) => ({
      name: `${tool}: at least ${COPY_SHARE} of ${base}`,
      isMet: of(tool).shareOfCopy[base]!.median >= COPY_SHARE,
      measured: of(tool).shareOfCopy[base]!.median.toFixed(2),
    })),
    {
      name: 'peak memory under 200 MiB',
      isMet: own.residentBytesPeak < MEMORY_MAX,
      measured: `${(own.residentBytesPeak / MEBIBYTE).toFixed(0)} MiB`,
    },
  ];
}

export async function runPseudonymiseBench(
  options: PseudonymiseBenchOptions,
): Promise<PseudonymiseBenchReport> {
  const { folder, rounds: count, objects, say = () => undefined } = options;
  const workplace = new Workplace(folder, objects);
  await workplace.plant();
  const tools: Deidentifier[] = [];
  const rounds: PseudonymiseRound[] = [];
  const left = new Map<string, number | null>();
  let named: Tools | undefined;
  try {
    named = await startAll(folder, tools);
    for (let round = 0; round <= count; round += 1) {
      for (const tool of tools) {
        const cost = await workplace.run(tool);
        const { name } = tool.facts;
        say(`${round === 0 ? 'warm-up' : `round ${round}`}: ${name}: ${cost.seconds.toFixed(2)} s`);
        if (round > 0) rounds.push({ tool: name, round, ...cost });
      }
    }
    for (const tool of tools.slice(named.copies.length)) {
      left.set(tool.facts.name, await workplace.markersLeft(tool));
    }
  } finally {
    for (const tool of tools) await tool.stop();
  }
  const results = resultsOf(rounds, workplace.bytes, left, named.copies);
  const { bytes, markersPlanted } = workplace;
  return {
    ...{ version: 1, bench: 'pseudonymise', machine: machineFacts(folder) },
    settings: { objects, bytes, rounds: count, markersPlanted },
    tools: tools.map(({ facts }) => facts),
    unobtainable: UNOBTAINABLE,
    results,
    targets: targetsOf(results, named),
    rounds,
  };
}
