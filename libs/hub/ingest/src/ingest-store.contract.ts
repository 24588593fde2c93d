/**
 * The rules of an IngestStore, for every implementation of it.
 * Goal: the simulator's store answers what PostgreSQL answers. Method: one suite over both; the
 * caller says how a site is enrolled and how an object comes to be held.
 */
import { describe, expect, it } from '@jest/globals';
import { encodeManifest, studyManifestSchema, type StudyManifest } from '@aifi/contracts-manifests';
import type { LinkPeer } from '@aifi/hub-identity';
import { newJobId, sha256Hex, type Sha256, type SiteId } from '@aifi/shared-kernel';
import {
  OPEN_JOBS_SPAN_MS,
  type IngestStore,
  type StudyClosing,
  type StudyOpening,
} from './ingest-store.js';
import type { ObjectRecords } from './objects/object-records.js';

export interface IngestStoreUnderTest {
  readonly store: IngestStore;
  readonly records: ObjectRecords;
  /** Events of committed studies of the site, by job. */
  events(siteId: SiteId): Promise<readonly string[]>;
}

type SiteIds = [SiteId, SiteId, SiteId, SiteId];
const siteNames: readonly string[] = ['site-a', 'site-b', 'site-c', 'site-x'];
const [siteA, siteB, siteC, stranger] = siteNames as unknown as SiteIds;
/** Rule sets of all sites, oldest first. */
export const CONTRACT_SITES = ['site-a', 'site-b', 'site-c'] as const;
/** Of the store under test; no other case has so many open at one site. */
export const CONTRACT_OPEN_JOBS_MAX = 30;
export const CONTRACT_RULES = [1, 2, 3, 4].map((number) => sha256Hex(`rules ${number}`));
const [tooOld, oldest, , newest] = CONTRACT_RULES as [Sha256, Sha256, Sha256, Sha256];

const digests = ['one', 'two'].map((name) => sha256Hex(name));
function opening(
  peer: LinkPeer,
  change: Partial<StudyManifest> = {},
  envelope = Buffer.from('sealed'),
): StudyOpening {
  const manifest: StudyManifest = {
    schema: 'aifi.study-manifest.v1',
    ...{ jobId: newJobId(), revision: 1, lane: 'acute' },
    product: { id: 'p', version: '1.0.0', modelDigest: sha256Hex('model') },
    studyInstanceUid: '2.25.1' as StudyManifest['studyInstanceUid'],
    ...{ receivedAtMs: 1, attestations: [], ruleSetSha256: newest },
    objects: digests.map((sha256, index) => ({
      sopInstanceUid: `2.25.2.${index}`,
      ...{ sopClassUid: '1.2.840.10008.5.1.4.1.1.4', seriesInstanceUid: '2.25.3' },
      ...{ transferSyntaxUid: '1.2.840.10008.1.2.1', sizeBytes: 10, sha256 },
    })) as StudyManifest['objects'],
    ...change,
  };
  const manifestBytes = encodeManifest(studyManifestSchema, manifest);
  return { peer, manifest, manifestBytes, envelope, atMs: 1_700_000_000_000 };
}
const closing = ({ peer, manifest, manifestBytes, atMs }: StudyOpening): StudyClosing => ({
  ...{ siteId: peer.siteId, jobId: manifest.jobId, revision: manifest.revision, atMs },
  manifestSha256: sha256Hex(manifestBytes),
});
const a: LinkPeer = { siteId: siteA, gateway: 2 };
const b: LinkPeer = { siteId: siteB, gateway: 1 };
const c: LinkPeer = { siteId: siteC, gateway: 1 };

export function ingestStoreContract(name: string, make: () => IngestStoreUnderTest): void {
  const holdAll = async ({ records }: IngestStoreUnderTest, siteId: SiteId): Promise<void> => {
    const objects = digests.map((sha256) => ({ siteId, sha256, sizeBytes: 10 }));
    await records.stored(siteId, objects, 1_700_000_000_000);
  };

  describe(name, () => {
    // The order matters: what a site holds is seen by the cases that follow.
    it('says that nothing is held of a new study, however often it is asked', async () => {
      const { store } = make();
      const study = opening(a);
      for (let times = 0; times < 2; times += 1) {
        await expect(store.open(study)).resolves.toEqual({ isStored: false, held: [] });
      }
    });

    it('refuses a site that is not enrolled', async () => {
      const study = opening({ siteId: stranger, gateway: 1 });
      await expect(make().store.open(study)).rejects.toMatchObject({ code: 'FORBIDDEN' });
    });

    it('refuses other bytes under the same job', async () => {
      const { store } = make();
      const study = opening(a);
      await store.open(study);
      const { jobId } = study.manifest;
      for (const other of [
        opening(a, { jobId, lane: 'routine' }),
        { ...study, envelope: Buffer.from('x') },
      ]) {
        await expect(store.open(other)).rejects.toMatchObject({ code: 'STATE_CONFLICT' });
      }
    });

    it('takes studies of the newest three rule sets, and no other', async () => {
      const { store } = make();
      await expect(store.open(opening(a, { ruleSetSha256: oldest }))).resolves.toBeDefined();
      for (const ruleSetSha256 of [tooOld, sha256Hex('of nobody')]) {
        const study = opening(a, { ruleSetSha256 });
        await expect(store.open(study)).rejects.toMatchObject({ code: 'RULES_OUTDATED' });
        // And nothing of it stays.
        await expect(store.close(closing(study))).rejects.toMatchObject({ code: 'NOT_FOUND' });
      }
    });

    it('does not commit a study of which an object is missing', async () => {
      const { store } = make();
      const study = opening(a);
      await store.open(study);
      await expect(store.close(closing(study))).rejects.toMatchObject({ code: 'STATE_CONFLICT' });
    });

    it('commits a study once, with one event, and answers a repeat', async () => {
      const sut = make();
      const study = opening(a);
      await sut.store.open(study);
      await holdAll(sut, siteA);
      const { held } = await sut.store.open(study);
      expect([...held].sort()).toEqual([...digests].sort());
      await expect(sut.store.close(closing(study))).resolves.toBe(true);
      await expect(sut.store.close(closing(study))).resolves.toBe(false);
      await expect(sut.store.open(study)).resolves.toMatchObject({ isStored: true });
      const events = await sut.events(siteA);
      expect(events.filter((jobId) => jobId === study.manifest.jobId)).toHaveLength(1);
    });

    it('does not know a job by another revision or manifest', async () => {
      const { store } = make();
      const study = opening(a);
      await store.open(study);
      const own = closing(study);
      for (const lie of [
        { ...own, revision: 2 },
        { ...own, manifestSha256: sha256Hex('lie') },
      ]) {
        await expect(store.close(lie)).rejects.toMatchObject({ code: 'NOT_FOUND' });
      }
    });

    it('keeps jobs and objects of one site from another', async () => {
      const sut = make();
      const study = opening(a);
      await sut.store.open(study);
      await holdAll(sut, siteA);
      const { jobId } = study.manifest;
      const asked = sut.records.listed(siteB, { jobId, sha256: digests[0]! });
      await expect(asked).resolves.toEqual([]);
      const foreign = { ...closing(study), siteId: siteB };
      await expect(sut.store.close(foreign)).rejects.toMatchObject({ code: 'NOT_FOUND' });
      const same = opening(b, { jobId });
      await expect(sut.store.open(same)).resolves.toEqual({ isStored: false, held: [] });
    });

    it('opens no new job of a site that has too many open, until one is finished', async () => {
      const sut = make();
      const { store } = sut;
      const first = opening(c);
      await store.open(first);
      for (let count = 1; count < CONTRACT_OPEN_JOBS_MAX; count += 1) await store.open(opening(c));
      const next = opening(c);
      await expect(store.open(next)).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' });
      // Nothing of it stays, and what is open goes on, as other sites do.
      await expect(store.close(closing(next))).rejects.toMatchObject({ code: 'NOT_FOUND' });
      await expect(store.open(first)).resolves.toEqual({ isStored: false, held: [] });
      await expect(store.open(opening(b))).resolves.toBeDefined();
      await holdAll(sut, siteC);
      await store.close(closing(first));
      await expect(store.open(next)).resolves.toMatchObject({ isStored: false });
      await expect(store.open(opening(c))).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' });
      // Those that were given up stay open, and count for a time only.
      const later = opening(c);
      const atMs = later.atMs + OPEN_JOBS_SPAN_MS;
      await expect(store.open({ ...later, atMs })).resolves.toMatchObject({ isStored: false });
    });

    it('lists the objects of a job with its lane', async () => {
      const { store, records } = make();
      const study = opening(a, { lane: 'routine' });
      await store.open(study);
      const { jobId } = study.manifest;
      const listed = await records.listed(siteA, { jobId, sha256: digests[1]! });
      expect(listed).toMatchObject([{ jobId, sha256: digests[1], sizeBytes: 10, lane: 'routine' }]);
    });
  });
}
