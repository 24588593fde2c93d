/**
 * Goal: an early revision gives jobs to those it was closed for; in the complete one their jobs
 * stand as long as the images are the same; a negative that waits is asked for again; a withdrawn
 * result is told. Method: revisions in a real SQLite file as assemble leaves them, the stage run.
 */
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  EARLY_NEGATIVE_DETAIL,
  type DeployedProduct,
  type IntendedUse,
} from '@aifi/contracts-manifests';
import { GATEWAY_MIGRATIONS, GatewayDatabase, withdrawJobs } from '@aifi/gateway-database';
import { Wake, type Sha256 } from '@aifi/shared-kernel';
import { silentLogger } from '@aifi/shared-observability';
import { FakeClock, temporaryFolder, type TemporaryFolder } from '@aifi/shared-testing';
import { createSelectStage, earlyProductsOf, type VerifiedRules } from './index.js';

const product = (id: string, lane: 'acute' | 'routine', use: Partial<IntendedUse> = {}) =>
  ({
    ...{ product: id, name: id, version: '1.0.0', label: 'RESEARCH', purpose: 'demonstration' },
    ...{ modelDigest: 'b'.repeat(64) as Sha256, state: 'active', lane, studyAgeOnMissing: 'allow' },
    intendedUse: {
      series: [{ id: 'modality', attribute: 'modality', oneOf: ['CT'], onMissing: 'deny' }],
      ...{ instancesMin: 2, ...use },
    },
  }) as DeployedProduct;
const rulesOf = (...products: DeployedProduct[]): VerifiedRules => ({
  rules: {
    ...{ schema: 'aifi.routing-rules.v1', sequence: 1, issuedAtMs: 1, purpose: 'demonstration' },
    products,
  },
  sha256: 'c'.repeat(64) as Sha256,
});
const ACUTE = product('acute', 'acute');
const RULES = rulesOf(ACUTE, product('routine', 'routine'));

describe('jobs of early revisions', () => {
  let folder: TemporaryFolder;
  let database: GatewayDatabase;
  const clock = new FakeClock();
  beforeEach(async () => {
    folder = temporaryFolder('early-revisions');
    database = GatewayDatabase.open(join(folder.path, 'gateway.db'), GATEWAY_MIGRATIONS);
    await write(`INSERT INTO study (study_id, study_uid, last_received_ms) VALUES (1, '1.2', 1)`);
  });
  afterEach(() => {
    database.close();
    folder.remove();
  });
  const write = (statement: string, ...values: (string | number | null)[]) =>
    database.write((sql) => sql.run(statement, ...values));

  /** A revision with new images of a series. */
  async function revision(
    number: number,
    kind: 'early' | 'complete',
    images: readonly string[],
    header: object = { modality: 'CT' },
  ): Promise<void> {
    for (const uid of images) {
      await write(
        `INSERT INTO instance (study_id, series_uid, sop_instance_uid, sop_class_uid,
           transfer_syntax_uid, sha256, size_bytes, path, header, calling_ae, received_ms, revision)
         VALUES (1, ?, ?, '1', '1', ?, 1, 'x', ?, 'A', 1, ?)`,
        ...[uid.slice(0, 1), uid, uid, JSON.stringify(header), number],
      );
    }
    await write('UPDATE study SET revision = ?', number);
    await write(
      `INSERT INTO study_revision (study_id, revision, closed_ms, state)
       VALUES (1, ?, 1, 'ASSEMBLED')`,
      number,
    );
    const products = kind === 'early' ? '["acute"]' : null;
    await write(
      `INSERT INTO revision_manifest VALUES (1, ?, ?, ?, 1, 'd')`,
      number,
      kind,
      products,
    );
  }
  async function run(rules = RULES): Promise<void> {
    const abort = new AbortController();
    const sut = createSelectStage({
      ...{ database, clock, logger: silentLogger, wake: new Wake(), purpose: 'demonstration' },
      ...{ currentRules: () => rules, onDone: () => undefined },
    });
    const running = sut.run(abort.signal);
    for (let i = 0; i < 40; i += 1) await new Promise(setImmediate);
    abort.abort();
    await running;
  }
  const jobs = () =>
    database.read((sql) =>
      sql.all('SELECT product, revision, state, stands_in, early, detail FROM job ORDER BY rowid'),
    );
  /** The hub keeps the negative of the early job. */
  const withhold = () =>
    write(
      `UPDATE job SET state = 'NOT_ANALYSED_NOTIFIED', terminal_ms = 1, code = 'INPUT_INCOMPLETE',
         detail = ? WHERE early IS NOT NULL`,
      EARLY_NEGATIVE_DETAIL,
    );

  it('are those of the named products, with how many images there were', async () => {
    await revision(1, 'early', ['1.1', '1.2'], { modality: 'CT', imagesInAcquisition: 3 });
    await run();
    expect(jobs()).toMatchObject([{ product: 'acute', revision: 1, state: 'SELECTED' }]);
    const early = { instances: 2, expected: 3, negativeAllowed: false };
    expect(JSON.parse(String(jobs()[0]!['early']))).toEqual(early);
  });
  it.each([
    ['is not enough', 3, false],
    ['is enough', 2, true],
  ])('allow a negative where what a negative needs %s', async (_, imagesMin, negativeAllowed) => {
    await revision(1, 'early', ['1.1', '1.2'], { modality: 'CT', imagesInAcquisition: 1 });
    await run(rulesOf(product('acute', 'acute', { negativeRequires: { imagesMin } })));
    expect(JSON.parse(String(jobs()[0]!['early']))).toEqual({ instances: 2, negativeAllowed });
  });
  it('do not come to be where the product does not take what is there', async () => {
    await revision(1, 'early', ['1.1']);
    await run();
    expect(jobs()).toEqual([]);
    await revision(2, 'complete', ['1.2']);
    await run();
    expect(jobs()).toMatchObject([
      { product: 'acute', revision: 2, state: 'SELECTED', early: null },
      { product: 'routine', revision: 2, state: 'SELECTED' },
    ]);
  });
  it('stand in the complete revision when their images are the same', async () => {
    await revision(1, 'early', ['1.1', '1.2']);
    await run();
    await revision(2, 'complete', ['2.1']);
    await run();
    expect(jobs()).toMatchObject([
      { product: 'acute', revision: 1, stands_in: 2 },
      { product: 'routine', revision: 2, stands_in: null },
    ]);
  });
  it('do not stand when more images of their series came', async () => {
    await revision(1, 'early', ['1.1', '1.2']);
    await run();
    await revision(2, 'complete', ['1.3']);
    await run();
    expect(jobs()).toMatchObject([
      { product: 'acute', revision: 1, stands_in: null },
      { product: 'acute', revision: 2, early: null },
      { product: 'routine', revision: 2 },
    ]);
  });
  it('do not stand when the rules take another version of the product', async () => {
    await revision(1, 'early', ['1.1', '1.2']);
    await run();
    await revision(2, 'complete', []);
    await run(rulesOf({ ...ACUTE, version: '1.0.1' }));
    expect(jobs()).toMatchObject([
      { revision: 1, stands_in: null },
      { revision: 2, state: 'SELECTED' },
    ]);
  });
  it.each(['before', 'after'])(
    'are run again on the whole study when their negative was kept %s it was whole',
    async (when) => {
      await revision(1, 'early', ['1.1', '1.2']);
      await run();
      if (when === 'before') await withhold();
      await revision(2, 'complete', ['2.1']);
      await run();
      if (when === 'after') await withhold();
      await run();
      await run();
      const acute = jobs().filter((job) => job['product'] === 'acute');
      expect(acute).toMatchObject([
        { revision: 1, state: 'NOT_ANALYSED_NOTIFIED', stands_in: null },
        { revision: 2, state: 'SELECTED', early: null },
      ]);
    },
  );
  it('end as withdrawn when their images are rejected, and the next revision tells it', async () => {
    await revision(1, 'complete', ['1.1', '1.2']);
    await run();
    await write(`UPDATE instance SET rejected_revision = 2`);
    await revision(2, 'complete', []);
    await database.write((sql) => withdrawJobs(sql, { studyId: 1, stage: 'assemble', atMs: 2 }));
    await run();
    const told = { state: 'NOT_ANALYSED_NOTIFIED' };
    expect(jobs()).toMatchObject([
      { product: 'acute', revision: 1, ...told },
      { product: 'routine', revision: 1, ...told },
      { product: 'acute', revision: 2, ...told },
      { product: 'routine', revision: 2, ...told },
    ]);
    expect(String(jobs()[2]!['detail'])).toContain('rejected by the hospital');
  });
  it('are asked for by the same verdict', async () => {
    const context = { purpose: 'demonstration', clock, currentRules: () => RULES } as const;
    const sut = earlyProductsOf(context);
    expect(sut.isAny()).toBe(true);
    await revision(1, 'early', ['1.1']);
    expect(database.read((sql) => sut.takenBy(sql, 1, 1))).toEqual([]);
    await revision(2, 'early', ['1.2']);
    expect(database.read((sql) => sut.takenBy(sql, 1, 2))).toEqual(['acute']);
  });
});
