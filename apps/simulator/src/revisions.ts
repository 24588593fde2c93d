/**
 * Revisions: schedules in which studies arrive in any order, in pieces, twice, late and in part
 * rejected, while acute products start early and processes die.
 * Decides what is sent from the seed, and by a few sets beside the system what the images of each
 * study are by now. Invariants that it wants: one current revision with those images; a revision
 * that was closed never changes; a job is of the images of its revision; the current result is of
 * the current images. That no older result follows a newer one, and that each job ends, are
 * invariants of every schedule. Source: hazard H7 (T-REV).
 */
import { keyedUid, objectsDigest, type Sha256 } from '@aifi/shared-kernel';
import type { Sql } from '@aifi/gateway-database';
import { NO_TROUBLE, type FaultPlan } from './fault-plan.js';
import { instanceOf, patientOf, SITES, type Instance, type Study, studyUidOf } from './hospital.js';
import { send } from './modality.js';
import { Random } from './random.js';
import { noteOf } from './rejection-note.js';
import type { Scenario, Simulated, Site } from './simulation.js';

const { siteId } = SITES[0]!;
/** Looks whether a closed revision has changed. @unit ms */
const LOOK_EVERY_MS = 3_000;

interface Act {
  readonly atMs: number;
  readonly what: 'send' | 'half';
  readonly instance: Instance;
}
interface Arrival {
  readonly study: Study;
  readonly acts: readonly Act[];
  /** By the UID of a note: what it rejects. */
  readonly notes: ReadonlyMap<string, readonly string[]>;
}

/** One schedule of its seed. */
export function revisionScenario(seed: number): Scenario {
  const random = new Random(seed ^ 0x5eed);
  const arrivals = Array.from({ length: random.int(1, 2) }, (_, number) =>
    arrivalOf(random, number),
  );
  const closed = new Map<string, string>();
  return {
    plan: troublesOf(random),
    ...{ studies: arrivals.map(({ study }) => study), startsEarly: true, sendAtMs: () => 0 },
    script: (simulated) => {
      for (const arrival of arrivals) sendAll(simulated, arrival);
      watch(simulated, closed);
    },
    check: (simulated) => {
      const [site] = simulated.sites;
      for (const arrival of arrivals) checkStudy(simulated, site!, arrival);
      checkInputs(simulated, site!);
    },
  };
}

function troublesOf(random: Random): FaultPlan {
  return {
    ...NO_TROUBLE,
    untilMs: random.int(20_000, 120_000),
    crashPoints: random.pick([0, 0, 0.002, 0.01]),
    ...{ deaths: random.int(0, 2), powerCuts: random.chance(0.3), hubDeaths: random.int(0, 1) },
    link: { cut: random.pick([0, 0.05]), twice: 0, latencyMsMax: random.pick([20, 2_000]) },
    pacs: { ...NO_TROUBLE.pacs, silent: random.pick([0, 0.2]), aborted: random.pick([0, 0.2]) },
    worker: { crashes: 0.05, freezes: 0, mixes: 0, negatives: random.pick([0, 0.5, 1]) },
  };
}

function arrivalOf(random: Random, number: number): Arrival {
  const patient = patientOf(siteId, number);
  const modality = random.pick(['CT', 'CT', 'MR'] as const);
  const plan = { siteId, number, patient, modality };
  const images = Array.from({ length: random.int(1, 2) }, (_, series) =>
    Array.from({ length: random.int(1, 4) }, (__, count) =>
      instanceOf(plan, { revision: 1, series: series + 1, count: count + 1 }),
    ),
  ).flat();
  const study = { siteId, studyUid: studyUidOf(number), modality, patient, revisions: [] };
  const notes = new Map<string, readonly string[]>();
  const objects = [...images];
  for (let count = 1; count <= random.pick([0, 0, 1, 2]); count += 1) {
    const rejected = images.filter(() => random.chance(0.4));
    const note = noteOf({ number, patient, count, rejected });
    notes.set(
      note.sopInstanceUid,
      rejected.map((image) => image.sopInstanceUid),
    );
    objects.push(note);
  }
  return { study, acts: actsOf(random, objects), notes };
}

/** In any order; some break off before, some come again, and some long after the others. */
function actsOf(random: Random, objects: readonly Instance[]): readonly Act[] {
  const order = random.chance(0.5) ? shuffled(random, objects) : objects;
  const acts: Act[] = [];
  let atMs = random.int(0, 5_000);
  for (const instance of order) {
    atMs += random.pick([0, 20, 200, 1_000, 2_500, 4_000, 7_000, 30_000]);
    if (random.chance(0.15)) acts.push({ atMs: atMs - 10, what: 'half', instance });
    acts.push({ atMs, what: 'send', instance });
    if (random.chance(0.2)) {
      acts.push({ atMs: atMs + random.int(1, 40_000), what: 'send', instance });
    }
  }
  return acts;
}

function shuffled<T>(random: Random, items: readonly T[]): readonly T[] {
  return items
    .map((item) => ({ item, at: random.next() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}

function sendAll(simulated: Simulated, { study, acts }: Arrival): void {
  const site = simulated.sites[0]!;
  for (const { atMs, what, instance } of acts) {
    if (what === 'send') {
      simulated.unsent += 1;
      send(simulated, site, { study, instance }, atMs);
      continue;
    }
    simulated.world.in(Math.max(0, atMs), undefined, () => {
      const { life } = site.gateway;
      if (!life) return;
      simulated.world.in(0, life, () => {
        void site.gateway.receiveHalf(instance).catch(() => undefined);
      });
    });
  }
}

/** A closed revision is what it was, at every look. */
function watch(simulated: Simulated, closed: Map<string, string>): void {
  const { world, model, plan } = simulated;
  const look = (): void => {
    simulated.sites[0]!.gateway.database.read((sql) => {
      for (const { key, uids } of manifests(sql)) {
        const was = closed.get(key) ?? uids;
        closed.set(key, was);
        if (was !== uids) model.violated('H7: a closed revision has changed');
      }
    });
    if (world.nowMs < plan.untilMs + 300_000) world.in(LOOK_EVERY_MS, undefined, look);
  };
  look();
}

function manifests(sql: Sql): readonly { readonly key: string; readonly uids: string }[] {
  return sql.all<{ key: string; uids: string }>(
    `SELECT r.study_id || '/' || r.revision AS key, (
        SELECT COALESCE(GROUP_CONCAT(sop_instance_uid ORDER BY sop_instance_uid), '')
         FROM revision_instance i WHERE i.study_id = r.study_id AND i.of_revision = r.revision
      ) AS uids FROM study_revision r`,
  );
}

interface StudyRow {
  readonly study_id: number;
  readonly revision: number;
  readonly newest: number;
  readonly revisions: number;
  readonly isEarly: number;
  readonly digest: string;
}

/** One current revision, and it has what came and was not rejected. */
function checkStudy({ model }: Simulated, { gateway }: Site, arrival: Arrival): void {
  const { studyUid } = arrival.study;
  const accepted = [...(model.accepted.get(siteId) ?? [])].filter(([uid]) =>
    uid.startsWith(`${studyUid}.`),
  );
  const rejected = new Set(accepted.flatMap(([uid]) => arrival.notes.get(uid) ?? []));
  const expected = accepted.filter(([uid]) => !rejected.has(uid));
  gateway.database.read((sql) => {
    const study = sql.get<StudyRow>(
      `SELECT study_id, revision, m.manifest_sha256 AS digest, m.kind = 'early' AS isEarly,
         (SELECT MAX(revision) FROM study_revision r WHERE r.study_id = s.study_id) AS newest,
         (SELECT COUNT(*) FROM study_revision r WHERE r.study_id = s.study_id) AS revisions
        FROM study s JOIN revision_manifest m USING (study_id, revision) WHERE study_uid = ?`,
      studyUid,
    );
    if (!study) return model.violated('H7: a study has no current revision');
    const isOne = study.revision === study.newest && study.revisions === study.newest;
    if (!isOne || study.isEarly === 1) model.violated('H7: not one current revision');
    const found = sql.all<{ uid: string }>(
      `SELECT sop_instance_uid AS uid FROM revision_instance
        WHERE study_id = ? AND of_revision = ? ORDER BY 1`,
      ...[study.study_id, study.revision],
    );
    const wanted = expected.map(([uid]) => uid).sort();
    if (found.map(({ uid }) => uid).join() !== wanted.join()) {
      model.violated('H7: the current revision has other images than came and count');
    }
    if (study.digest !== objectsDigest(expected.map(([, sha256]) => sha256 as Sha256))) {
      model.violated('H7: the digest of a revision is not that of its images');
    }
    checkCurrentJobs(model, sql, study);
  });
}

/** Each product has one job that speaks for the current revision, and it is of its images. */
function checkCurrentJobs(model: Simulated['model'], sql: Sql, study: StudyRow): void {
  const jobs = sql.all<{ product: string; withdrawn: number; isOfOthers: number }>(
    `SELECT product, withdrawn_ms IS NOT NULL AS withdrawn, EXISTS (
        SELECT 1 FROM instance i WHERE i.study_id = job.study_id AND i.series_uid = job.series_uid
          AND (i.revision > job.revision OR i.rejected_revision > job.revision)) AS isOfOthers
      FROM job WHERE study_id = ? AND COALESCE(stands_in, revision) = ?`,
    ...[study.study_id, study.revision],
  );
  const products = jobs.map(({ product }) => product).sort();
  if (products.join() !== 'bleeding,volumetry') model.violated('H7: not one job for each product');
  if (jobs.some(({ withdrawn, isOfOthers }) => withdrawn === 1 || isOfOthers === 1)) {
    model.violated('H7: the job of the current revision is of other images');
  }
}

/** What the hub was given for a job are the images of its revision, and no other. */
function checkInputs({ rows, model }: Simulated, { gateway }: Site): void {
  const key = gateway.parts.ring.current.uid;
  gateway.database.read((sql) => {
    for (const { jobId, manifest } of rows.jobs.values()) {
      const images = sql.all<{ uid: string }>(
        `SELECT sop_instance_uid AS uid FROM job JOIN revision_instance i
            ON i.study_id = job.study_id AND i.of_revision = job.revision
              AND i.series_uid = job.series_uid WHERE job_id = ?`,
        jobId,
      );
      const wanted = images.map(({ uid }): string => keyedUid(key, 'uid', uid)).sort();
      const sent = manifest.objects.map(({ sopInstanceUid }): string => sopInstanceUid).sort();
      if (sent.join() !== wanted.join())
        model.violated('H7: a job is of other images than its own');
    }
  });
}
