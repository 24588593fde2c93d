/**
 * Goal: a hospital that loses its gateway loses no result and gets none twice: neither from a
 * backup on an empty folder, nor from a cold standby that takes over while the first one runs.
 * Method: real processes; a backup beside the running gateway, SIGKILL, the folder removed but for
 * the site's keys, the commands of docs/runbooks/lost-gateway.md. The worker is frozen so that work
 * is at the hub at the moment of the loss; pixels say whose result each one is.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { decodePart10 } from '@aifi/dicom-core';
import { CodedStudy, oracleOf, sendInstance, writeOracleModels } from '@aifi/chaos';
import { hubRoutes, takeOverObjectId } from '@aifi/contracts-rest';
import { Stack, type Edge, type Hospital, type Standby } from '@aifi/demo';
import { FaultProxy, sendSignal } from '@aifi/fault-injection';
import { hasPeers, KILLS_EACH, temporaryFolder } from '@aifi/shared-testing';
import { gatewayStatus } from './gateway-status.js';
import { SignedIn } from './signed-in.js';

const SITE = 'site-a';
const START_MS = 120_000;
const STEP_MS = 180_000;
const LOOK_MS = 200;
const KEYS = 'keys';
const KEY_FILE = 'site-keys.json';
/** Whether the vault is in its place when a restore dies there. */
const CUTS = [
  { point: 'gateway.backup.before-vault', hasVault: false },
  { point: 'gateway.backup.after-vault', hasVault: true },
];
type Cut = (typeof CUTS)[number];
const CUT_MS = 20_000;
/** What a restore puts in place, in its order: without the last one there is no gateway. */
const PIECES = ['vault.db', 'access.db', 'gateway.db'];
const TAKE_OVER = { gateway: 1, successor: 2 };
const { takeOverGateway, requestApproval, decideApproval } = hubRoutes;
const suite = hasPeers('Orthanc') ? describe : describe.skip;
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
async function until(isSo: () => Promise<boolean>): Promise<void> {
  const endMs = performance.now() + STEP_MS;
  while (!(await isSo())) {
    if (performance.now() > endMs) throw new Error('it did not get there in time');
    await sleep(LOOK_MS);
  }
}

suite('the loss of a box', () => {
  const folder = temporaryFolder('box-loss');
  const backups = join(folder.path, 'backups');
  const runId = `box-loss-${process.pid}-${Date.now()}`;
  const sent: CodedStudy[] = [];
  let toPacs: FaultProxy | undefined;
  let stack: Stack;
  let first: Hospital;
  let second: Standby;

  beforeAll(async () => {
    writeOracleModels(folder.path);
    stack = await Stack.start({
      ...{ siteIds: [SITE], standbys: [SITE], environment: process.env, quietMs: 1_000 },
      modelsFolder: folder.path,
      reroute: async ({ kind, port: targetPort }: Edge) => {
        if (kind !== 'pacs') return targetPort;
        toPacs = await FaultProxy.start({ targetPort, random: Math.random });
        return toPacs.port;
      },
    });
    first = stack.parts.hospitals[0]!;
    second = stack.parts.standbys[SITE]!;
  }, START_MS);
  afterAll(async () => {
    await toPacs?.close();
    await stack?.stop();
    folder.remove();
  }, START_MS);

  async function send(): Promise<CodedStudy> {
    const study = new CodedStudy({
      ...{ runId, site: SITE, siteIndex: 0, study: sent.length, kind: 'plain', lane: 'acute' },
      nowMs: Date.now(),
    });
    sent.push(study);
    await first.pacs.upload(study.image(0));
    await sendInstance(first.pacs, study.sopInstanceUid(0));
    return study;
  }
  async function stateOf({ sent: of }: CodedStudy, { gateway }: Standby = first): Promise<string> {
    const studies = await gateway.studies();
    const seen = studies?.find(({ studyInstanceUid }) => studyInstanceUid === of.studyUid);
    return seen?.products.find(({ product }) => product === of.product)?.state ?? 'none';
  }
  const untilState = (study: CodedStudy, state: string, at: Standby = first): Promise<void> =>
    until(async () => (await stateOf(study, at)) === state);
  /** SOP Instance UIDs of the results in the PACS: what was made there is not ours. */
  async function resultsOf(study: CodedStudy): Promise<string[]> {
    const found = await first.pacs.instancesOf(study.sent.studyUid);
    const made: string[] = [];
    for (const { id, sopInstanceUid } of found) {
      const { dataset } = decodePart10(await first.pacs.file(id));
      const isReport = oracleOf(dataset).length > 0;
      if (isReport) expect(oracleOf(dataset)).toEqual([pixelsOf(study)]);
      if (isReport) made.push(sopInstanceUid);
    }
    return made;
  }
  const pixelsOf = (study: CodedStudy) => ({ site: 0, study: sent.indexOf(study), image: 0 });
  const worker = (signal: 'SIGSTOP' | 'SIGCONT'): void => {
    expect(sendSignal(stack.parts.worker.pid!, signal)).toBe(true);
  };
  /**
   * A restore that dies on the way has left no gateway: what is there is moved away, and it is
   * begun again. Over a gateway that is whole it is refused.
   */
  async function restoreOverCuts(name: string): Promise<Record<string, unknown>> {
    const words = ['gateway', 'restore', '--from', backups];
    const isThere = (file: string): boolean => existsSync(join(first.gatewayFolder, file));
    for (const { point, hasVault } of CUTS.flatMap((cut) => Array(KILLS_EACH).fill(cut) as Cut[])) {
      const { signal } = await stack.task('gateway', name, words, { AIFI_CRASH_AT: point });
      expect([point, signal]).toEqual([point, 'SIGKILL']);
      expect(PIECES.map(isThere)).toEqual([hasVault, false, false]);
      emptyButForKeys(first.gatewayFolder);
    }
    const restored = await task(name, 'restore', '--from', backups);
    expect(PIECES.map(isThere)).toEqual([true, true, true]);
    const { code, error } = await stack.task('gateway', name, words);
    expect([code, error]).toEqual([1, expect.stringContaining('a gateway is there')]);
    return restored;
  }
  async function task(name: string, ...words: string[]): Promise<Record<string, unknown>> {
    const { code, out, error } = await stack.task('gateway', name, ['gateway', ...words]);
    expect([code, error]).toEqual([0, '']);
    return JSON.parse(out) as Record<string, unknown>;
  }

  it(
    'brings back what was under way at the hub, and stores nothing twice',
    async () => {
      const done = await send();
      await untilState(done, 'RESULT_IN_PACS');
      // Delivered between backup and loss: the backup does not know that.
      toPacs!.set('both', { mode: 'pause' });
      const between = await send();
      await untilState(between, 'REIDENTIFIED');
      worker('SIGSTOP');
      const away = await send();
      await untilState(away, 'UPLOADED');

      mkdirSync(backups);
      const { files } = await task(first.gatewayProcess.name, 'backup', '--to', backups);
      expect(files).toHaveLength(3);
      await toPacs!.heal();
      await untilState(between, 'RESULT_IN_PACS');
      const before = [await resultsOf(done), await resultsOf(between)];
      expect(before.map(({ length }) => length)).toEqual([1, 1]);

      await first.gatewayProcess.kill9();
      emptyButForKeys(first.gatewayFolder);
      const restored = await restoreOverCuts(first.gatewayProcess.name);
      // Its result was made ready for the PACS on the disk that is gone.
      expect(restored).toMatchObject({ outcomes: 1, images: 3, spooled: 0 });
      const fromMs = performance.now();
      await first.gatewayProcess.start();
      await untilState(between, 'RESULT_IN_PACS');
      expect(await stateOf(away)).toBe('UPLOADED');
      worker('SIGCONT');
      await untilState(away, 'RESULT_IN_PACS');
      console.log(`results again ${((performance.now() - fromMs) / 1_000).toFixed(1)} s after`);
      expect([await resultsOf(done), await resultsOf(between)]).toEqual(before);
      expect(await resultsOf(away)).toHaveLength(1);
      expect((await first.gateway.studies())!.map(({ studyInstanceUid: uid }) => uid)).toHaveLength(
        sent.length,
      );
    },
    STEP_MS + CUTS.length * KILLS_EACH * CUT_MS,
  );

  it(
    'gives what is under way to a standby, and to the first gateway nothing more',
    async () => {
      worker('SIGSTOP');
      const away = await send();
      await untilState(away, 'UPLOADED');
      rmSync(backups, { recursive: true });
      mkdirSync(backups);
      await task(first.gatewayProcess.name, 'backup', '--to', backups);
      cpSync(join(first.gatewayFolder, KEYS, KEY_FILE), join(second.gatewayFolder, KEYS, KEY_FILE));
      const name = second.gatewayProcess.name;
      await task(name, 'restore', '--from', backups);
      await recordTakeOver(stack.parts.hubServer.url);
      // The worst case: nobody has switched the first one off. It is let in no more.
      await until(async () => (await gatewayStatus(first)).link !== 'up');
      await second.gatewayProcess.start();
      worker('SIGCONT');
      await untilState(away, 'RESULT_IN_PACS', second);
      expect(await stateOf(away, first)).toBe('UPLOADED');
      expect(await resultsOf(away)).toHaveLength(1);
    },
    STEP_MS,
  );
});

/** What a fire leaves: the keys have a copy of their own. */
function emptyButForKeys(dataFolder: string): void {
  const keys = join(dataFolder, KEYS);
  for (const name of readdirSync(keys)) {
    if (name !== KEY_FILE) rmSync(join(keys, name), { recursive: true });
  }
  for (const name of readdirSync(dataFolder)) {
    if (name !== KEYS) rmSync(join(dataFolder, name), { recursive: true });
  }
}

/** One operator asks, another one agrees, the first one does it. */
async function recordTakeOver(hubUrl: string): Promise<void> {
  const { gateway, successor } = TAKE_OVER;
  const asking = await SignedIn.open(hubUrl, 'central-operator');
  const order = takeOverGateway.path.replace(':siteId', SITE);
  expect((await asking.post(order, TAKE_OVER)).status).toBe(403);
  const request = {
    ...{ act: 'gateway.take-over', siteId: SITE, reason: 'the machine does not come back' },
    objectId: takeOverObjectId(gateway, successor),
  };
  const { id } = await asking.order(requestApproval.path, request, requestApproval.response);
  const agreeing = await SignedIn.open(hubUrl, 'central-operator-2');
  const decision = { decision: 'approve', reason: 'agreed by telephone' };
  const path = decideApproval.path.replace(':approvalId', id);
  await agreeing.order(path, decision, decideApproval.response);
  await asking.order(order, TAKE_OVER, takeOverGateway.response);
}
