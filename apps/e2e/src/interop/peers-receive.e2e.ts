/**
 * Goal: peers none of us wrote are answered by the real receive stage as the standard says: over
 * TLS with a known certificate, never without; C-FIND and storage commitment are not offered (H10).
 * Method: DCMTK, Orthanc, pynetdicom and OpenSSL as clients; rows and refusals of the stage; a raw
 * N-ACTION where no client would send one.
 */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { startStoreScp } from '@aifi/dicom-dimse';
import { hasPeers, temporaryFolder } from '@aifi/shared-testing';
import { ensurePynetdicom } from '../../../../deploy/services/pynetdicom/install.mjs';
import { runPynetdicom } from '../../../../deploy/services/pynetdicom/client.mjs';
import { asFile, generatedCt, uidFor } from './generated-objects.js';
import { OrthancPeer } from './orthanc.js';
import { rawCommitmentCommand, rawDataPdu, rawPdv } from './raw-encoding.js';
import { RawSender } from './raw-sender.js';
import { CALLED, PLAIN, Receiver } from './receiver.js';
import { TestAuthority, type PeerIdentity } from './test-certificates.js';

const run = promisify(execFile);
const HOST = '127.0.0.1';
const CALLER = 'MODALITY';
const VERIFICATION = '1.2.840.10008.1.1';
const COMMITMENT = '1.2.840.10008.1.20.1';
const COMMITMENT_INSTANCE = '1.2.840.10008.1.20.1.1';
const STUDY_ROOT_FIND = '1.2.840.10008.5.1.4.1.2.2.1';
const TIMEOUT_MS = 60_000;
const SIZE = { rows: 128, columns: 128 };
const suite = hasPeers('storescu', 'findscu', 'Orthanc', 'openssl') ? describe : describe.skip;

const succeeds = (command: Promise<unknown>): Promise<boolean> =>
  command.then(
    () => true,
    () => false,
  );

suite('DICOM TLS at the receive stage', () => {
  const folder = temporaryFolder('interop-tls');
  let receiver: Receiver;
  let gateway: PeerIdentity;
  let modality: PeerIdentity;
  let other: PeerIdentity;
  let foreign: PeerIdentity;
  const file = join(folder.path, 'image.dcm');

  beforeAll(async () => {
    const authority = await TestAuthority.make(folder.path, 'hospital');
    gateway = await authority.issue('gateway');
    modality = await authority.issue('modality');
    other = await authority.issue('other');
    foreign = await (await TestAuthority.make(folder.path, 'elsewhere')).issue('stranger');
    writeFileSync(file, asFile(generatedCt('tls', SIZE)));
  });
  beforeEach(async () => {
    const { fingerprint } = modality;
    const known = { certificateSha256: fingerprint, plain: false, lane: 'routine' } as const;
    const { certificateFile, keyFile, caFile } = gateway;
    receiver = await Receiver.startWith({
      port: 0,
      tls: { port: 0, certificateFile, keyFile, caFile },
      callers: [
        { aeTitle: CALLER, ...known },
        { aeTitle: 'PLAIN', ...PLAIN },
      ],
    });
  }, TIMEOUT_MS);
  afterEach(() => receiver.close());
  afterAll(() => folder.remove());

  const storescu = (...words: string[]): Promise<boolean> =>
    succeeds(run('storescu', ['-to', '10', '-ta', '10', '-td', '10', ...words, file]));
  const titles = (aeTitle = CALLER): string[] => ['-aet', aeTitle, '-aec', CALLED];
  const overTls = (): string[] => [HOST, `${receiver.tlsPort}`];
  const as = ({ keyFile, certificateFile }: PeerIdentity, caFile = gateway.caFile): string[] => [
    ...['+tls', keyFile, certificateFile],
    ...['+cf', caFile],
  ];

  it('takes an object from storescu with the certificate of its AE title', async () => {
    expect(await storescu(...titles(), ...as(modality), ...overTls())).toBe(true);
    expect(receiver.rows()).toHaveLength(1);
    expect(receiver.rows()[0]?.isAsRecorded).toBe(true);
  });

  it('takes nothing from storescu with a certificate of another authority', async () => {
    const words = [...titles(), ...as(foreign), ...overTls()];
    expect(await storescu(...words)).toBe(false);
    expect(receiver.rows()).toEqual([]);
  });
  it('takes nothing from storescu without a certificate', async () => {
    const anonymous = ['+tla', '+cf', gateway.caFile];
    expect(await storescu(...titles(), ...anonymous, ...overTls())).toBe(false);
    expect(receiver.rows()).toEqual([]);
  });
  it('takes nothing from storescu with the certificate of another peer', async () => {
    expect(await storescu(...titles(), ...as(other), ...overTls())).toBe(false);
    expect(receiver.rows()).toEqual([]);
  });
  it('takes nothing from storescu without encryption (null cipher profile)', async () => {
    expect(await storescu(...titles(), '+pn', ...as(modality), ...overTls())).toBe(false);
    expect(receiver.rows()).toEqual([]);
  });
  it('takes nothing in plain from a caller that is known by its certificate', async () => {
    expect(await storescu(...titles(), HOST, `${receiver.port}`)).toBe(false);
    expect(await storescu(...titles('PLAIN'), HOST, `${receiver.port}`)).toBe(true);
    expect(receiver.rows()).toHaveLength(1);
  });
  it('is not trusted by storescu that does not know its authority', async () => {
    const words = [...titles(), ...as(modality, foreign.caFile), ...overTls()];
    expect(await storescu(...words)).toBe(false);
    expect(receiver.rows()).toEqual([]);
  });

  it.each([
    ['-tls1', /alert protocol version/],
    ['-tls1_1', /alert protocol version/],
    ['-tls1_2', /CONNECTION ESTABLISHED[^]*Protocol version: TLSv1\.2[^]*DONE/],
    ['-tls1_3', /CONNECTION ESTABLISHED[^]*Protocol version: TLSv1\.3[^]*DONE/],
  ])('tells OpenSSL with %s: %s', async (version, answer) => {
    const { certificateFile, keyFile, caFile } = modality;
    const words = ['s_client', '-connect', `${HOST}:${receiver.tlsPort}`, version, '-brief'];
    const identity = ['-cert', certificateFile, '-key', keyFile, '-CAfile', caFile];
    // So that it is the listener that refuses, not the client.
    const lax = ['-cipher', 'DEFAULT@SECLEVEL=0'];
    const client = spawn('openssl', [...words, ...identity, ...lax, '-verify_return_error']);
    client.stdin.end();
    let said = '';
    client.stderr.on('data', (bytes: Buffer) => (said += bytes.toString()));
    await once(client, 'close');
    expect(said).toMatch(answer);
  });

  it(
    'takes an object from Orthanc over TLS',
    async () => {
      const { certificateFile, keyFile, caFile } = modality;
      const orthanc = await OrthancPeer.start({
        aeTitle: CALLER,
        tls: { certificateFile, keyFile, trustedFile: caFile },
        modalities: [
          { name: 'gateway', aeTitle: CALLED, host: HOST, port: receiver.tlsPort, tls: true },
        ],
      });
      try {
        const id = await orthanc.upload(readFileSync(file));
        expect(await orthanc.store('gateway', [id!])).toBe(true);
        expect(receiver.rows()).toHaveLength(1);
      } finally {
        await orthanc.close();
      }
    },
    TIMEOUT_MS,
  );

  it('answers findscu over TLS where a stand-in PACS offers C-FIND', async () => {
    const pem = (path: string) => readFileSync(path);
    const scp = await startStoreScp({
      host: HOST,
      tls: {
        port: 0,
        certificate: pem(gateway.certificateFile),
        key: pem(gateway.keyFile),
        ca: pem(gateway.caFile),
      },
      aeTitle: CALLED,
      callers: [{ aeTitle: CALLER, certificateSha256: modality.fingerprint }],
      handler: { begin: () => Promise.reject(new Error('no objects here')) },
      find: ({ StudyInstanceUID = '' }) =>
        Promise.resolve([{ StudyInstanceUID, PatientID: 'FOUND-1' }]),
    });
    const study = uidFor('tls study');
    const words = ['-S', '-k', '0008,0052=STUDY', '-k', `0020,000d=${study}`, '-k', '0010,0020'];
    const find = (identity: PeerIdentity) =>
      run('findscu', [...titles(), ...as(identity), HOST, `${scp.tlsPort}`, ...words]);
    const { stdout, stderr } = await find(modality);
    expect(stdout + stderr).toContain('FOUND-1');
    expect(stdout + stderr).toContain(study);
    expect(await succeeds(find(foreign))).toBe(false);
    await scp.close();
  });
});

suite('what the receive stage does not offer', () => {
  const folder = temporaryFolder('interop-offer');
  let receiver: Receiver;
  const file = join(folder.path, 'image.dcm');
  const object = generatedCt('offer', SIZE);

  beforeAll(async () => {
    writeFileSync(file, asFile(object));
    receiver = await Receiver.start(CALLER);
  }, TIMEOUT_MS);
  afterAll(async () => {
    await receiver.close();
    folder.remove();
  });
  const onPython = ensurePynetdicom().ok ? it : it.skip;
  const pynetdicom = (action: string) =>
    runPynetdicom([HOST, `${receiver.port}`, CALLED, CALLER, action, file]);

  onPython('is answered to pynetdicom: C-STORE is taken', async () => {
    const answer = await pynetdicom('store');
    expect(answer).toMatchObject({ established: true, rejected: false, statuses: [0] });
    expect(receiver.rows(object.sopInstanceUid)).toHaveLength(1);
  });
  onPython('is answered to pynetdicom: the context of C-FIND is refused', async () => {
    const answer = await pynetdicom('find');
    expect(answer).toEqual({
      established: true,
      rejected: false,
      accepted: [VERIFICATION],
      statuses: [],
    });
  });
  onPython('is answered to pynetdicom: the context of storage commitment is refused', async () => {
    const answer = await pynetdicom('commit');
    expect(answer).toEqual({
      established: true,
      rejected: false,
      accepted: [VERIFICATION],
      statuses: [],
    });
  });

  it(
    'is answered to Orthanc: no storage commitment, no C-FIND',
    async () => {
      const modality = { name: 'gateway', aeTitle: CALLED, host: HOST, port: receiver.port };
      const orthanc = await OrthancPeer.start({ aeTitle: CALLER, modalities: [modality] });
      try {
        const id = await orthanc.upload(readFileSync(file));
        expect(await orthanc.store('gateway', [id!])).toBe(true);
        const request = { DicomInstances: [[object.sopClassUid, object.sopInstanceUid]] };
        await expect(
          orthanc.post('/modalities/gateway/storage-commitment', request),
        ).rejects.toThrow();
        const query = { Level: 'Study', Query: { StudyInstanceUID: '' } };
        await expect(orthanc.post('/modalities/gateway/query', query)).rejects.toThrow();
      } finally {
        await orthanc.close();
      }
    },
    TIMEOUT_MS,
  );

  it('aborts an N-ACTION that comes on an accepted context of another class', async () => {
    const peer = { port: receiver.port, calledAeTitle: CALLED, callingAeTitle: CALLER };
    const syntaxes = ['1.2.840.10008.1.2'];
    const { sender, opening } = await RawSender.open(peer, [
      { abstractSyntaxUid: VERIFICATION, transferSyntaxUids: syntaxes },
      { abstractSyntaxUid: COMMITMENT, transferSyntaxUids: syntaxes },
      { abstractSyntaxUid: STUDY_ROOT_FIND, transferSyntaxUids: syntaxes },
    ]);
    expect(opening).toMatchObject({ kind: 'accepted', results: [0, 3, 3] });
    const command = rawCommitmentCommand(COMMITMENT, COMMITMENT_INSTANCE);
    await sender.write(rawDataPdu(rawPdv(1, command, { command: true, last: true })));
    expect((await sender.answer()).kind).toBe('aborted');
    sender.socket.destroy();
  });
});
