/**
 * Goal: an archive that none of us wrote stores by STOW-RS into the real receive stage, byte by
 * byte, over http and over TLS with its certificate; and is told the truth of what is not taken.
 * Method: Orthanc with its DICOMweb plugin as client, files of other projects as it sends them;
 * rows and files of the stage.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { decodeFileMeta } from '@aifi/dicom-core';
import { temporaryFolder } from '@aifi/shared-testing';
import {
  ensureOrthancDicomweb,
  ORTHANC_DICOMWEB_PLUGIN,
} from '../../../../deploy/services/orthanc-dicomweb/install.mjs';
import { OrthancPeer } from './orthanc.js';
import { PLAIN, Receiver } from './receiver.js';
import { TestAuthority } from './test-certificates.js';

const HOST = '127.0.0.1';
const TIMEOUT_MS = 120_000;
const SMALL = join(import.meta.dirname, '../../../../../shared/data/dicom/small');
/** Of many syntaxes: native, RLE, JPEG 2000; images and reports. */
const FILES = ['CT_small', 'MR_small', 'JPEG2000', 'SC_rgb_rle', 'SC_ybr_full_422_uncompressed'];
const REPORTS = ['reportsi', 'test-SR'];
/** Its file meta names another instance than its dataset. */
const MISLABELLED = 'rtplan';
const fileOf = (name: string): Buffer => readFileSync(join(SMALL, `${name}.dcm`));

const hasOrthanc = ensureOrthancDicomweb().ok || process.env['CI'] === 'true';
(hasOrthanc ? describe : describe.skip)('Orthanc as a STOW-RS client', () => {
  const folder = temporaryFolder('interop-web');
  let [receiver, orthanc]: [Receiver | undefined, OrthancPeer | undefined] = [undefined, undefined];
  const ids: string[] = [];

  let authority: TestAuthority;

  beforeAll(async () => {
    authority = await TestAuthority.make(folder.path, 'hospital');
    orthanc = await OrthancPeer.start({
      plugins: [ORTHANC_DICOMWEB_PLUGIN],
      settings: { HttpsCACertificates: authority.caFile },
    });
    for (const name of [...FILES, ...REPORTS]) {
      ids.push((await orthanc.upload(fileOf(name)))!);
    }
  }, TIMEOUT_MS);
  afterEach(() => receiver?.close());
  afterAll(async () => {
    await orthanc?.close();
    folder.remove();
  });

  /** True when the archive says that all of them were stored. */
  async function stow(server: object, resources: readonly string[]): Promise<boolean> {
    const rest = orthanc!.restUrl;
    const put = await fetch(`${rest}/dicom-web/servers/aifi`, {
      method: 'PUT',
      body: JSON.stringify(server),
    });
    expect(put.ok).toBe(true);
    const body = { Resources: resources, Synchronous: true };
    return orthanc!.post<unknown>('/dicom-web/servers/aifi/stow', body).then(
      () => true,
      () => false,
    );
  }
  const datasetOf = (file: Buffer): Buffer => file.subarray(decodeFileMeta(file).datasetOffset);

  it(
    'has each dataset kept as it was sent',
    async () => {
      const callers = [{ name: 'ORTHANC', ...PLAIN }];
      const web = { port: 0, callers };
      receiver = await Receiver.startWith({ callers: [{ aeTitle: 'X', ...PLAIN }], port: 0, web });
      const url = `http://${HOST}:${receiver.webPort}/`;
      expect(await stow({ Url: url }, ids)).toBe(true);
      const rows = receiver.rows();
      expect(rows).toHaveLength(ids.length);
      expect(rows.every(({ isAsRecorded }) => isAsRecorded)).toBe(true);
      const sent = await Promise.all(ids.map(async (id) => datasetOf(await orthanc!.file(id))));
      expect(sent.every((one) => rows.some(({ dataset }) => dataset.equals(one)))).toBe(true);
      expect(await stow({ Url: url }, ids)).toBe(true);
      expect(receiver.rows()).toHaveLength(ids.length);
      const mislabelled = (await orthanc!.upload(fileOf(MISLABELLED)))!;
      expect(await stow({ Url: url }, [mislabelled])).toBe(false);
      expect(receiver.rows()).toHaveLength(ids.length);
    },
    TIMEOUT_MS,
  );

  it(
    'stores over TLS with its certificate, and nothing with that of another',
    async () => {
      const gateway = await authority.issue('gateway');
      const archive = await authority.issue('archive');
      const other = await authority.issue('other');
      const { certificateFile, keyFile, caFile } = gateway;
      const known = { certificateSha256: archive.fingerprint, plain: false };
      receiver = await Receiver.startWith({
        ...{ callers: [{ aeTitle: 'X', ...PLAIN }], port: 0 },
        web: {
          tls: { port: 0, certificateFile, keyFile, caFile },
          callers: [{ name: 'ORTHANC', ...known, lane: 'routine' }],
        },
      });
      const as = (peer: typeof archive): object => ({
        Url: `https://localhost:${receiver!.webTlsPort}/`,
        CertificateFile: peer.certificateFile,
        CertificateKeyFile: peer.keyFile,
      });
      expect(await stow(as(other), ids)).toBe(false);
      expect(receiver.rows()).toEqual([]);
      expect(await stow(as(archive), ids)).toBe(true);
      expect(receiver.rows()).toHaveLength(ids.length);
    },
    TIMEOUT_MS,
  );
});
