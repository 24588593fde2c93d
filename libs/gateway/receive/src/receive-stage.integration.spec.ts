/**
 * Goal: 0000 is said only for whole, durable instances with a row; all else leaves nothing (P0).
 * Method: the real listener child, DCMTK's storescu as sender, a real gateway database; the child
 * is killed, the folder littered, objects repeated, altered, mislabelled and cut short.
 */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { DicomDataset, decodeFileMeta, encodeDataset, encodePart10 } from '@aifi/dicom-core';
import { DimseScu } from '@aifi/dicom-dimse';
import { GATEWAY_MIGRATIONS, GatewayDatabase } from '@aifi/gateway-database';
import { sha256Hex, systemClock } from '@aifi/shared-kernel';
import { silentLogger } from '@aifi/shared-observability';
import { keyRingOf } from '@aifi/shared-site-keys';
import { fakeSiteKeys, temporaryFolder, type TemporaryFolder } from '@aifi/shared-testing';
import { createReceiveStage, type ReceiveStage } from './receive-stage.js';

const run = promisify(execFile);
const SHARED = join(import.meta.dirname, '../../../../../shared/data/dicom/transfer-syntaxes');
const MR = '1.2.840.10008.5.1.4.1.1.4';
const EXPLICIT = '1.2.840.10008.1.2.1';

function image(sopInstanceUid: string, pixel = 1): DicomDataset {
  return new DicomDataset()
    .setString('SOPClassUID', MR)
    .setString('SOPInstanceUID', sopInstanceUid)
    .setString('Modality', 'MR')
    .setString('SeriesDescription', 'T1 sag')
    .setString('PatientName', 'Canary^Yellow')
    .setString('PatientID', 'CANARY-1')
    .setString('StudyInstanceUID', '2.25.1')
    .setString('SeriesInstanceUID', '2.25.2')
    .setNumbers('ImagePositionPatient', [1.5, -2, 3])
    .setNumbers('Rows', [200])
    .setNumbers('Columns', [200])
    .setNumbers('SamplesPerPixel', [1])
    .setNumbers('BitsAllocated', [16])
    .setBytes('PixelData', Buffer.alloc(80_000, pixel), 'OW');
}
const explicit = { explicitVr: true, littleEndian: true };

describe('createReceiveStage', () => {
  let folder: TemporaryFolder;
  let database: GatewayDatabase;
  let sut: ReceiveStage;
  let port: number;
  let stop: AbortController;
  let running: Promise<void>;
  const incoming = () => join(folder.path, 'incoming');
  /** Objects; empty files are made ahead for the next ones. */
  const files = () =>
    readdirSync(incoming()).filter((name) => statSync(join(incoming(), name)).size > 0);

  async function start(): Promise<void> {
    database = GatewayDatabase.open(join(folder.path, 'gateway.db'), GATEWAY_MIGRATIONS);
    stop = new AbortController();
    const callers = [{ aeTitle: 'PEER', host: '127.0.0.1', plain: true, lane: 'routine' as const }];
    sut = createReceiveStage({
      database,
      dataFolder: folder.path,
      config: { host: '127.0.0.1', port: 0, aeTitle: 'AIFI', callers },
      keys: keyRingOf(fakeSiteKeys()),
      clock: systemClock,
      logger: silentLogger,
    });
    running = sut.run(stop.signal);
    port = await sut.ready;
  }
  async function end(): Promise<void> {
    stop.abort();
    await running;
    database.close();
  }
  beforeEach(async () => {
    folder = temporaryFolder('receive');
    await start();
  });
  afterEach(async () => {
    await end();
    folder.remove();
  });

  const scu = () =>
    new DimseScu({
      host: '127.0.0.1',
      port,
      calledAeTitle: 'AIFI',
      callingAeTitle: 'PEER',
      clock: systemClock,
    });
  const store = (sopInstanceUid: string, dataset: Uint8Array) =>
    scu().store({ sopClassUid: MR, sopInstanceUid, transferSyntaxUid: EXPLICIT, dataset });
  const rows = () =>
    database.read((sql) =>
      sql.all<Record<string, string | number>>('SELECT * FROM instance ORDER BY instance_id'),
    );

  it('keeps the dataset as sent, with our file meta, and a row without identity', async () => {
    const dataset = encodeDataset(image('2.25.3'), explicit);
    expect(await store('2.25.3', dataset)).toBe(0);
    const [row] = rows();
    const file = readFileSync(String(row?.['path']));
    const { meta, datasetOffset } = decodeFileMeta(file);
    expect(file.subarray(0, 128).every((byte) => byte === 0)).toBe(true);
    expect(file.subarray(datasetOffset).equals(dataset)).toBe(true);
    expect(meta).toEqual({
      sopClassUid: MR,
      sopInstanceUid: '2.25.3',
      transferSyntaxUid: EXPLICIT,
    });
    expect(row).toMatchObject({
      series_uid: '2.25.2',
      sop_instance_uid: '2.25.3',
      sha256: sha256Hex(file),
      size_bytes: file.length,
      calling_ae: 'PEER',
      conflict: 0,
      revision: null,
    });
    expect(JSON.parse(String(row?.['header']))).toMatchObject({
      modality: 'MR',
      seriesDescription: 'T1 sag',
      imagePositionPatient: [1.5, -2, 3],
      rows: 200,
    });
    expect(JSON.stringify(row)).not.toMatch(/canary/i);
  });

  it('does no work for the same bytes again and marks other bytes as a conflict', async () => {
    const [first, other] = [image('2.25.3', 1), image('2.25.3', 2)];
    for (const dataset of [first, first, other, first]) {
      expect(await store('2.25.3', encodeDataset(dataset, explicit))).toBe(0);
    }
    expect(rows().map((row) => row['conflict'])).toEqual([0, 1]);
    expect(files()).toHaveLength(2);
  });

  it('has a file again that retention had removed, without new work, when its bytes come again', async () => {
    const dataset = encodeDataset(image('2.25.3'), explicit);
    expect(await store('2.25.3', dataset)).toBe(0);
    const before = rows()[0]!;
    await database.write((sql) => sql.run('UPDATE instance SET removed_ms = 5, revision = 1'));
    rmSync(String(before['path']));
    expect(await store('2.25.3', dataset)).toBe(0);
    const [after, ...others] = rows();
    expect(others).toEqual([]);
    expect(after).toMatchObject({ removed_ms: null, revision: 1, sha256: before['sha256'] });
    expect(sha256Hex(readFileSync(String(after!['path'])))).toBe(before['sha256']);
  });

  it('keeps the bytes that come again when their file was lost', async () => {
    const dataset = encodeDataset(image('2.25.3'), explicit);
    expect(await store('2.25.3', dataset)).toBe(0);
    const before = rows()[0]!;
    rmSync(String(before['path']));
    expect(await store('2.25.3', dataset)).toBe(0);
    expect(rows()).toHaveLength(1);
    expect(sha256Hex(readFileSync(String(rows()[0]!['path'])))).toBe(before['sha256']);
  });

  it('refuses what is cut short, mislabelled or homeless, and keeps nothing of it', async () => {
    const whole = encodeDataset(image('2.25.3'), explicit);
    const homeless = encodeDataset(image('2.25.4').setString('StudyInstanceUID', ''), explicit);
    expect(await store('2.25.3', whole.subarray(0, whole.length - 1_000))).toBe(0xc000);
    expect(await store('2.25.99', whole)).toBe(0xa900);
    expect(await store('2.25.4', homeless)).toBe(0xc000);
    expect(rows()).toEqual([]);
    expect(files()).toEqual([]);
  });

  it('counts what it refused, with caller, answer and reason, and without a UID', async () => {
    const whole = encodeDataset(image('2.25.3'), explicit);
    await store('2.25.3', whole.subarray(0, whole.length - 1_000));
    await store('2.25.3', whole.subarray(0, whole.length - 2_000));
    const stream = connect(port, '127.0.0.1').end('GET / HTTP/1.1\r\n\r\n').resume();
    await once(stream, 'close');
    const echo = (...args: string[]) => run('echoscu', [...args, '127.0.0.1', `${port}`]);
    await expect(echo('-aet', 'STRANGER', '-aec', 'AIFI')).rejects.toThrow();
    await expect(echo('-aet', 'PEER', '-aec', 'OTHER')).rejects.toThrow();
    const unknownClass = { sopClassUid: '1.2.3.4', sopInstanceUid: '2.25.3', dataset: whole };
    await expect(
      scu().store({ ...unknownClass, transferSyntaxUid: EXPLICIT }),
    ).rejects.toMatchObject({ code: 'PEER_REFUSED' });
    const refusals = () =>
      database.read((sql) =>
        sql.all<Record<string, string | number>>(
          `SELECT calling_ae, what, code, dimse_status, SUM(count) AS count FROM receive_refusal
           GROUP BY calling_ae, what, code, dimse_status ORDER BY what, code`,
        ),
      );
    const all = ['association', 'association', 'association', 'context', 'object'];
    while (refusals().length < all.length) await systemClock.sleep(20);
    expect(refusals().map((row) => Object.values(row))).toEqual([
      ['STRANGER', 'association', 'FORBIDDEN', -1, 1],
      ['', 'association', 'INVALID_ARGUMENT', -1, 1],
      ['PEER', 'association', 'NOT_FOUND', -1, 1],
      ['PEER', 'context', 'DICOM_SOP_CLASS_UNSUPPORTED', -1, 1],
      ['PEER', 'object', 'DICOM_MALFORMED', 0xc000, 2],
    ]);
    expect(files()).toEqual([]);
  });

  it('takes many instances over parallel associations', async () => {
    const out = join(folder.path, 'out');
    mkdirSync(out);
    for (let i = 0; i < 40; i += 1) {
      writeFileSync(join(out, `${i}.dcm`), encodePart10(image(`2.25.${100 + i}`)));
    }
    const send = (part: number) => {
      const names = readdirSync(out).filter((_, i) => i % 4 === part);
      const paths = names.map((name) => join(out, name));
      return run('storescu', ['-aet', 'PEER', '-aec', 'AIFI', '127.0.0.1', `${port}`, ...paths]);
    };
    await Promise.all([0, 1, 2, 3].map(send));
    expect(rows()).toHaveLength(40);
    expect(files()).toHaveLength(40);
  });

  it('sweeps leftovers before it listens again and keeps what has a row', async () => {
    expect(await store('2.25.3', encodeDataset(image('2.25.3'), explicit))).toBe(0);
    const kept = files();
    await end();
    writeFileSync(join(incoming(), '.left.part'), 'x');
    writeFileSync(join(incoming(), 'f0000000-0000-4000-8000-000000000000.dcm'), 'x');
    await start();
    expect(files()).toEqual(kept);
  });

  it('starts a killed listener again on the same port', async () => {
    const { stdout } = await run('pgrep', ['-P', `${process.pid}`, '-f', 'listener-main']);
    process.kill(Number(stdout.trim()), 'SIGKILL');
    let status: number | undefined;
    while (status === undefined) {
      const dataset = encodeDataset(image('2.25.3'), explicit);
      status = await store('2.25.3', dataset).catch(() => undefined);
      await systemClock.sleep(50);
    }
    expect(status).toBe(0);
    expect(rows()).toHaveLength(1);
  });

  const deflated = join(
    SHARED,
    'CTImage.dcm_DeflatedExplicitVRLittleEndianTransferSyntax_1.2.840.10008.1.2.1.99.dcm',
  );
  it.each([deflated].filter((path) => existsSync(path)))(
    'walks a deflated dataset inflated and keeps it deflated',
    async (path) => {
      const sent = ['-aet', 'PEER', '-aec', 'AIFI', '-xd', '-R', '127.0.0.1', `${port}`, path];
      await run('storescu', sent);
      const [row] = rows();
      expect(row?.['transfer_syntax_uid']).toBe('1.2.840.10008.1.2.1.99');
      await run('dcmdump', ['-q', String(row?.['path'])]);
    },
  );
});
