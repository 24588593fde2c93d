/**
 * Way: our gateway and our hub, as the demonstration starts them: processes of their own, mutual
 * TLS, an embedded PostgreSQL, every sync as in production.
 * Decides when a study has arrived: the gateway has recorded the hub's StudyAck, and the hub has a
 * file for every object. Invariant: looking costs the gateway nothing; its database is read here.
 * Source: performance specification B3, B6; reliability specification 2 (acknowledgements).
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as pause } from 'node:timers/promises';
import { readPart10Header } from '@aifi/dicom-core';
import { aeTitles, Stack, type Hospital } from '@aifi/demo';
import { AifiError, systemClock } from '@aifi/shared-kernel';
import { processorMs, residentPeaks } from '../process-tree.js';
import type { CtObjects, SentObject } from '../receive/ct-objects.js';
import { CALLING_AE_TITLE, send } from '../receive/sender.js';
import { writeBenchModel } from './bench-model.js';
import type { PathCost, PathWay } from './path-way.js';

const SITE = 'site-a';
/** Longer than any sync in the middle of a sending should take. @unit ms */
export const QUIET_MS = 1_000;
/** @unit ms */
const LOOK_MS = 20;
const ARRIVE_MS_MAX = 180_000;
const HOST = '127.0.0.1';

interface Arrival {
  /** Last instance, end of quiet timer, whole in the spool, hub's answer. Wall clock. @unit ms */
  readonly receivedMs: number;
  readonly closedMs: number | null;
  readonly spooledMs: number | null;
  readonly acknowledgedMs: number | null;
  readonly state: string | null;
}
/** An outcome may overtake the acknowledgement: then it is the later one that counts. */
const ARRIVAL = `SELECT s.last_received_ms AS receivedMs,
  (SELECT MIN(closed_ms) FROM study_revision r WHERE r.study_id = s.study_id) AS closedMs,
  (SELECT MIN(at_ms) FROM journal j WHERE j.study_id = s.study_id
     AND j.event = 'spooled') AS spooledMs,
  (SELECT MIN(at_ms) FROM journal j WHERE j.study_id = s.study_id
     AND (j.event = 'uploaded' OR j.stage = 'downlink')) AS acknowledgedMs,
  (SELECT state FROM job WHERE job.study_id = s.study_id) AS state
  FROM study s WHERE s.study_uid = ?`;
/** The hospital's PACS has not got the study: what comes back waits at the gateway. */
const ON_THE_WAY = ['SELECTED', 'SPOOLED', 'UPLOADED'];
const ENDED = ['NOT_ELIGIBLE_LOGGED', 'NOT_ANALYSED_NOTIFIED', 'QUARANTINED'];

function legsOf(arrival: Arrival, startMs: number) {
  const { receivedMs, closedMs, spooledMs, acknowledgedMs } = arrival;
  return {
    receive: (receivedMs - startMs) / 1_000,
    quiet: (closedMs! - receivedMs) / 1_000,
    'pseudonymise and spool': (spooledMs! - closedMs!) / 1_000,
    uplink: (acknowledgedMs! - spooledMs!) / 1_000,
  };
}

export class PlatformWay implements PathWay {
  readonly facts = {
    name: 'gateway and hub',
    how: `pseudonymised in full, mutual TLS, every file synced at both, rows in SQLite and \
PostgreSQL; quiet timer ${QUIET_MS} ms`,
  };

  private constructor(
    private readonly stack: Stack,
    private readonly hospital: Hospital,
    private readonly database: DatabaseSync,
  ) {}

  static async start(folder: string, objects: number): Promise<PlatformWay> {
    const modelsFolder = join(folder, 'models');
    writeBenchModel(modelsFolder, objects);
    const callers = [{ aeTitle: CALLING_AE_TITLE, host: HOST, plain: true }];
    const stack = await Stack.start({
      ...{ siteIds: [SITE], environment: process.env, quietMs: QUIET_MS, modelsFolder },
      gatewaySettings: () => ({ dicom: { callers } }),
    });
    const hospital = stack.parts.hospitals[0]!;
    const file = join(hospital.gatewayFolder, 'gateway.db');
    return new PlatformWay(stack, hospital, new DatabaseSync(file, { readOnly: true }));
  }

  /** On the disk that everything of this way is written to. */
  get folder(): string {
    return this.stack.parts.folder;
  }

  async measure(objects: CtObjects, sent: readonly SentObject[]): Promise<PathCost> {
    const { dataset } = await readPart10Header(sent[0]!.path);
    const study = dataset.string('StudyInstanceUID')!;
    const [near, far] = [this.hospital.gatewayProcess.pid!, this.stack.parts.hub.pid!];
    const heldBefore = this.#objectsAtHub();
    const before = [processorMs(near), processorMs(far)] as const;
    const to = { aeTitle: aeTitles(SITE).gateway, port: this.hospital.ports.gatewayDicom };
    const { accepted, startMs } = await send([objects.folders], to);
    // The gateway's rows are in wall clock, the sender's start is not.
    const startWallMs = systemClock.nowMs() - (performance.now() - startMs);
    if (accepted !== sent.length) throw new AifiError('PEER_REFUSED', 'objects were refused');
    const arrival = await this.#until(study, ({ acknowledgedMs }) => acknowledgedMs !== null);
    const [nearProcessorMs, farProcessorMs] = [processorMs(near), processorMs(far)];
    if (this.#objectsAtHub() - heldBefore < sent.length) {
      throw new AifiError('DIGEST_MISMATCH', 'the hub does not hold every object');
    }
    const legs = legsOf(arrival, startWallMs);
    const seconds = (arrival.acknowledgedMs! - startWallMs) / 1_000;
    const cost = {
      ...{ seconds, legs, secondsWithoutQuiet: seconds - legs.quiet },
      nearProcessorMs: nearProcessorMs - before[0],
      farProcessorMs: farProcessorMs - before[1],
      nearResidentPeaks: [...residentPeaks(near).values()],
    };
    // What comes after must not go on while the next way is measured.
    await this.#until(study, ({ state }) => !ON_THE_WAY.includes(state ?? ''));
    return cost;
  }

  async stop(): Promise<void> {
    this.database.close();
    await this.stack.stop();
  }

  async #until(study: string, isThere: (arrival: Arrival) => boolean): Promise<Arrival> {
    const look = this.database.prepare(ARRIVAL);
    for (const endMs = performance.now() + ARRIVE_MS_MAX; performance.now() < endMs;) {
      const arrival = look.get(study) as Arrival | undefined;
      if (arrival && isThere(arrival)) return arrival;
      const isOver = ENDED.includes(arrival?.state ?? '');
      if (isOver) throw new AifiError('PEER_REFUSED', `the study ended as ${arrival!.state}`);
      await pause(LOOK_MS);
    }
    throw new AifiError('DEADLINE_EXCEEDED', 'a study does not arrive');
  }

  /** Files under their final names: whole, digested and synced. */
  #objectsAtHub(): number {
    const folder = join(this.stack.parts.hubFolder, 'objects');
    if (!existsSync(folder)) return 0;
    const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
    return names.filter((name) => /[/][0-9a-f]{2}[/][0-9a-f]{64}$/.test(name)).length;
  }
}
