/**
 * Goal: every dataset byte that a peer none of us wrote puts on the wire is on disk (F1, T-PDV).
 * Method: DCMTK, Orthanc, dcmjs-dimse and pynetdicom send through a proxy that writes down what was
 * on the wire, to the real receive stage. Peers encode anew before they send, so the wire, not the
 * file, is what disk is compared with.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { hasPeers } from '@aifi/shared-testing';
import { ensurePynetdicom } from '../../../../deploy/services/pynetdicom/install.mjs';
import { runPynetdicom } from '../../../../deploy/services/pynetdicom/client.mjs';
import { ByteTap } from '../byte-tap.js';
import { compare } from './byte-exact.js';
import { hasSharedFiles, objectOf, sharedFiles, sharedPath } from './dicom-files.js';
import { asFile, generatedCt } from './generated-objects.js';
import { OrthancPeer } from './orthanc.js';
import { CALLED, Receiver } from './receiver.js';

const run = promisify(execFile);
const HOST = '127.0.0.1';
const CALLER = 'PEER';
const TIMEOUT_MS = 180_000;
const suite = hasPeers('storescu', 'Orthanc') ? describe : describe.skip;
const onShared = hasSharedFiles ? it : it.skip;

/** Transfer syntaxes that DCMTK 3.6.7 proposes, and how it is told to. */
const DCMTK_OPTIONS: Readonly<Record<string, string>> = {
  '1.2.840.10008.1.2': '-xi',
  '1.2.840.10008.1.2.1': '-xe',
  '1.2.840.10008.1.2.2': '-xb',
  '1.2.840.10008.1.2.1.99': '-xd',
  '1.2.840.10008.1.2.4.50': '-xy',
  '1.2.840.10008.1.2.4.51': '-xx',
  '1.2.840.10008.1.2.4.70': '-xs',
  '1.2.840.10008.1.2.4.80': '-xt',
  '1.2.840.10008.1.2.4.81': '-xu',
  '1.2.840.10008.1.2.4.90': '-xv',
  '1.2.840.10008.1.2.4.91': '-xw',
  '1.2.840.10008.1.2.5': '-xr',
};

suite('what a peer puts on the wire is what lies on disk', () => {
  let receiver: Receiver;
  let tap: ByteTap;
  let folder: string;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'aifi-interop-files-'));
    receiver = await Receiver.start(CALLER);
    tap = await ByteTap.start(receiver.port);
  }, TIMEOUT_MS);
  afterEach(async () => {
    await tap.close();
    await receiver.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Paths of generated CT images, the floor where the shared data is absent. */
  function generatedFiles(count: number): string[] {
    return Array.from({ length: count }, (_, index) => {
      const path = join(folder, `${index}.dcm`);
      writeFileSync(path, asFile(generatedCt(`peer ${index}`, { rows: 512, columns: 512 })));
      return path;
    });
  }
  function storescu(...words: readonly string[]): Promise<unknown> {
    const titles = ['-aet', CALLER, '-aec', CALLED];
    // A file that is refused or that storescu does not read must not keep back the others.
    return run('storescu', ['-nh', ...titles, HOST, `${tap.port}`, ...words]).catch(() => 0);
  }
  function expectExact(atLeast: number) {
    const compared = compare(tap, receiver);
    expect(compared.different).toEqual([]);
    expect(compared.stores.length).toBeGreaterThanOrEqual(atLeast);
    return compared;
  }
  const syntaxOf = (path: string) => objectOf(readFileSync(path)).transferSyntaxUid;

  it.each([4096, 16_384, 65_536, 131_072])('from storescu with PDUs of %i bytes', async (size) => {
    await storescu('--max-send-pdu', `${size}`, ...generatedFiles(3));
    const { stores } = expectExact(3);
    expect(stores[0]!.pduBytesMax).toBeLessThanOrEqual(size);
    expect(stores[0]!.pduBytesMax).toBeGreaterThan(size - 32);
  });

  onShared(
    'from storescu in each transfer syntax that it proposes',
    async () => {
      const paths = sharedFiles('transfer-syntaxes').map(sharedPath);
      const proposed = new Set<string>();
      for (const [uid, option] of Object.entries(DCMTK_OPTIONS)) {
        const files = paths.filter((path) => syntaxOf(path) === uid);
        for (const size of files.length > 0 ? ['4096', '131072'] : []) {
          await storescu(option, '-R', '--max-send-pdu', size, ...files);
        }
        if (files.length > 0) proposed.add(uid);
      }
      expectExact(2 * proposed.size);
      expect(new Set(receiver.rows().map((row) => row.transferSyntaxUid))).toEqual(proposed);
      expect(proposed.size).toBe(Object.keys(DCMTK_OPTIONS).length);
    },
    TIMEOUT_MS,
  );

  it('from storescu that proposes all SOP classes with combined syntaxes', async () => {
    await storescu('+C', '-xe', ...generatedFiles(2));
    expectExact(2);
  });

  it.each([4096, 131_072])(
    'from Orthanc that takes PDUs of %i bytes and sends what the listener takes',
    async (size) => {
      const modality = { name: 'gateway', aeTitle: CALLED, host: HOST, port: tap.port };
      const orthanc = await OrthancPeer.start({
        aeTitle: CALLER,
        modalities: [modality],
        settings: { MaximumPduLength: size },
      });
      try {
        const folders = ['transfer-syntaxes', 'small', 'charsets', 'sr-seg-rt-pdf', 'enhanced'];
        const shared = folders.flatMap((name) => sharedFiles(name)).map(sharedPath);
        const ids = new Set<string>();
        for (const path of [...shared, ...generatedFiles(3)]) {
          const id = await orthanc.upload(readFileSync(path));
          if (id !== undefined) ids.add(id);
        }
        await orthanc.store('gateway', [...ids], true);
        const { stores } = expectExact(hasSharedFiles ? 80 : 3);
        const longest = Math.max(...stores.map(({ pduBytesMax }) => pduBytesMax));
        expect(longest).toBeGreaterThan(100_000);
      } finally {
        await orthanc.close();
      }
    },
    TIMEOUT_MS,
  );

  it(
    'from dcmjs-dimse',
    async () => {
      const shared = sharedFiles('transfer-syntaxes').map(sharedPath);
      const script = join(import.meta.dirname, 'dcmjs-dimse-client.mjs');
      const words = [script, HOST, `${tap.port}`, CALLED, CALLER, ...generatedFiles(5), ...shared];
      await run(process.execPath, words);
      expectExact(hasSharedFiles ? 20 : 5);
    },
    TIMEOUT_MS,
  );

  (ensurePynetdicom().ok ? it.each : it.skip.each)([
    ['0', '0'],
    ['4096', '4096'],
    ['1048576', '1048576'],
  ])(
    'from pynetdicom that takes PDUs of %s and sends PDUs of %s bytes (0: of any length)',
    async (takes, sends) => {
      const shared = sharedFiles('transfer-syntaxes').map(sharedPath);
      const files = [...generatedFiles(3), ...shared];
      const pdu = ['--pdu', takes, '--send-pdu', sends];
      const words = [HOST, `${tap.port}`, CALLED, CALLER, 'store', ...pdu, ...files];
      const { established, statuses } = await runPynetdicom(words);
      expect(established).toBe(true);
      const { stores } = expectExact(hasSharedFiles ? 25 : 3);
      expect(statuses.filter((status) => status === 0)).toHaveLength(stores.length);
    },
    TIMEOUT_MS,
  );
});
