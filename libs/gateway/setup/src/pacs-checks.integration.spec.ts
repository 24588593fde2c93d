/**
 * Goal: a PACS with a wrong AE title, a closed port, a missing SOP class or syntax, no commitment
 * or TLS each gives the finding whose sentence says what to ask its vendor; a good one passes.
 * Method: DCMTK's storescp and dcmqrscp, and Orthanc, with configurations that are wrong in one
 * way; a TLS server and a server that never answers, on loopback.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { setupFindingWords, type SetupFinding } from '@aifi/contracts-rest';
import { systemClock } from '@aifi/shared-kernel';
import { freePorts, hasPeers, temporaryFolder } from '@aifi/shared-testing';
import { CommitmentReports } from './commitment-reports.js';
import { PacsChecks, type CheckOutcome, type PacsCheckOptions } from './pacs-checks.js';

const folder = temporaryFolder('setup-checks');
const children: ChildProcess[] = [];
const servers: Server[] = [];
afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  for (const server of servers.splice(0)) server.close();
});
afterAll(() => folder.remove());

const own = { ownHost: '10.1.2.3', ownPort: '11112', ownAeTitle: 'AIFI' };
type Options = Partial<PacsCheckOptions> & { readonly called?: string; readonly calling?: string };
function checks(port: number, options: Options = {}): PacsChecks {
  const { called = 'PACS', calling = 'AIFI', ...more } = options;
  return new PacsChecks({
    peer: { host: '127.0.0.1', port, calledAeTitle: called, callingAeTitle: calling },
    ...{ clock: systemClock, timeoutMs: 3_000, reportMs: 1_000, mayStore: false },
    ...{ isCommitmentWanted: true, canReport: true, own, reports: new CommitmentReports() },
    ...more,
  });
}
const codes = ({ findings }: CheckOutcome): string[] => findings.map(({ code }) => code);
const wordsOf = (finding: SetupFinding | undefined, language: 'nl' | 'en'): string => {
  const { seen, ask } = setupFindingWords(finding!)![language];
  return `${seen} ${ask}`;
};

async function isUp(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  const answered = await once(socket, 'connect').then(
    () => true,
    () => false,
  );
  socket.destroy();
  return answered;
}
async function start(command: string, args: readonly string[], port: number): Promise<void> {
  const child = spawn(command, [...args], { stdio: 'ignore' });
  children.push(child);
  while (!(await isUp(port))) {
    if (child.exitCode !== null) throw new Error(`${command} does not start`);
    await systemClock.sleep(50);
  }
}
async function storescp(...options: string[]): Promise<number> {
  const [port] = await freePorts(1);
  const out = join(folder.path, `out-${port}`);
  mkdirSync(out);
  await start('storescp', ['-aet', 'PACS', '-od', out, ...options, String(port)], port!);
  return port!;
}
async function dcmqrscp(): Promise<number> {
  const [port] = await freePorts(1);
  const archive = join(folder.path, `archive-${port}`);
  mkdirSync(archive);
  const configuration = join(folder.path, `dcmqrscp-${port}.cfg`);
  const lines = [
    ...[`NetworkTCPPort = ${port}`, 'MaxPDUSize = 16384', 'MaxAssociations = 4'],
    ...['HostTable BEGIN', 'gateway = (AIFI, 127.0.0.1, 11112)', 'HostTable END'],
    ...['VendorTable BEGIN', 'VendorTable END', 'AETable BEGIN'],
    ...[`PACS ${archive} RW (10, 1024mb) ANY`, 'AETable END'],
  ];
  writeFileSync(configuration, `${lines.join('\n')}\n`);
  await start('dcmqrscp', ['-c', configuration], port!);
  return port!;
}
async function orthanc(more: object = {}): Promise<number> {
  const [port, httpPort] = (await freePorts(2)) as [number, number];
  const path = join(folder.path, `orthanc-${port}`);
  mkdirSync(path);
  const configuration = {
    ...{ Name: 'PACS', StorageDirectory: path, IndexDirectory: path, Plugins: [] },
    ...{ HttpServerEnabled: true, HttpPort: httpPort, RemoteAccessAllowed: false },
    ...{ DicomServerEnabled: true, DicomAet: 'PACS', DicomCheckCalledAet: true, DicomPort: port },
    ...{ DicomAlwaysAllowEcho: false, DicomAlwaysAllowStore: false, DicomAlwaysAllowFind: false },
    DicomModalities: { gateway: ['AIFI', '127.0.0.1', 1] },
    ...more,
  };
  const file = join(folder.path, `orthanc-${port}.json`);
  writeFileSync(file, JSON.stringify(configuration));
  await start('Orthanc', [file], port);
  return port;
}
/** Associations that a storescp takes. */
function profile(contexts: readonly string[]): string {
  const path = join(folder.path, `profile-${contexts.length}-${contexts[1] ?? ''}.cfg`);
  const lines = [
    ...['[[TransferSyntaxes]]', '[Both]', 'TransferSyntax1 = LittleEndianExplicit'],
    ...['TransferSyntax2 = LittleEndianImplicit', '[Implicit]'],
    ...['TransferSyntax1 = LittleEndianImplicit', '[[PresentationContexts]]', '[Some]'],
    ...contexts.map((one, at) => `PresentationContext${at + 1} = ${one.replace('|', '\\')}`),
    ...['[[Profiles]]', '[Pacs]', 'PresentationContexts = Some'],
  ];
  writeFileSync(path, `${lines.join('\n')}\n`);
  return path;
}
/** A server whose only answer is what `answer` does with a connection. */
async function raw(answer: (socket: Socket) => void): Promise<number> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    answer(socket);
  }).listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  return (server.address() as { port: number }).port;
}

describe('a PACS that is not there', () => {
  it('a closed port says port and host, in both languages', async () => {
    const [port] = await freePorts(1);
    const outcome = await checks(port!).run('echo');
    expect(outcome.state).toBe('failed');
    expect(codes(outcome)).toEqual(['PORT_CLOSED']);
    const [finding] = outcome.findings;
    expect(wordsOf(finding, 'en')).toContain(`Nothing listens on TCP port ${port} of 127.0.0.1.`);
    expect(wordsOf(finding, 'nl')).toContain(`luistert niets op TCP-poort ${port}`);
  });
  it('a name that does not exist is said to be one', async () => {
    const peer = { host: 'pacs.invalid', port: 104, calledAeTitle: 'PACS', callingAeTitle: 'AIFI' };
    expect(codes(await checks(104, { peer }).run('echo'))).toEqual(['ADDRESS_UNKNOWN']);
  });
  it('one that takes the connection and says nothing has no answer', async () => {
    const port = await raw(() => undefined);
    expect(codes(await checks(port, { timeoutMs: 300 }).run('echo'))).toEqual(['NO_ANSWER']);
  });
  it('a web server is not DICOM', async () => {
    const port = await raw((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    expect(codes(await checks(port).run('echo'))).toEqual(['NOT_DICOM']);
  });
  it('one that wants TLS is told from one that is not DICOM', async () => {
    // Without a certificate of its own it answers every hello with an alert.
    const server = createTlsServer({}).listen(0, '127.0.0.1');
    servers.push(server);
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    expect(codes(await checks(port, { timeoutMs: 1_000 }).run('echo'))).toEqual(['TLS_NEEDED']);
  });
});

(hasPeers('storescp', 'dcmqrscp') ? describe : describe.skip)('DCMTK', () => {
  it('dcmqrscp under a wrong called AE title is not called so', async () => {
    const outcome = await checks(await dcmqrscp(), { called: 'WRONG' }).run('find');
    expect(codes(outcome)).toEqual(['CALLED_AE_UNKNOWN']);
    expect(wordsOf(outcome.findings[0], 'en')).toContain('is not called WRONG');
  });
  it('storescp that refuses everybody asks for the log of the PACS', async () => {
    const outcome = await checks(await storescp('--refuse')).run('echo');
    expect(codes(outcome)).toEqual(['ASSOCIATION_REFUSED']);
    expect(outcome.findings[0]?.facts.reason).toMatch(/^1\/\d\/\d$/);
  });
  it('a PACS that lacks the class of reports is told by name and UID', async () => {
    const both = ['VerificationSOPClass|Both', 'SecondaryCaptureImageStorage|Both'];
    const port = await storescp('-xf', profile(both), 'Pacs');
    expect(await checks(port).run('echo')).toEqual({ state: 'passed', findings: [] });
    const outcome = await checks(port, { mayStore: true }).run('store');
    expect(outcome.state).toBe('failed');
    expect(codes(outcome)).toEqual(['STORE_CLASS_MISSING', 'STORE_CLASS_MISSING']);
    const words = wordsOf(outcome.findings[0], 'nl');
    expect(words).toContain('neemt geen Comprehensive 3D SR aan (1.2.840.10008.5.1.4.1.1.88.34)');
    expect(words).toContain('voor AIFI aan te zetten als C-STORE SCP');
  });
  it('a PACS that takes the class in another syntax only is told the syntax', async () => {
    const port = await storescp(
      '-xf',
      profile(['SecondaryCaptureImageStorage|Both', 'Comprehensive3DSRStorage|Implicit']),
      'Pacs',
    );
    const outcome = await checks(port).run('store');
    expect(codes(outcome)[0]).toBe('STORE_SYNTAX_MISSING');
    expect(wordsOf(outcome.findings[0], 'en')).toContain('not with Explicit VR Little Endian');
  });
  it('without a yes no object is sent', async () => {
    const outcome = await checks(await storescp()).run('store');
    expect(outcome.state).toBe('advice');
    expect(codes(outcome)).toEqual(['STORE_NOT_TRIED']);
  });
  it('storescp offers neither queries nor commitment', async () => {
    const port = await storescp();
    const sut = checks(port, { mayStore: true });
    const stored = await sut.run('store');
    expect(codes(stored)).toEqual(['STORE_CLEAN_UP']);
    expect(codes(await sut.run('find'))).toEqual(['FIND_NOT_OFFERED']);
    const outcome = await sut.run('commitment');
    expect(outcome.state).toBe('failed');
    expect(codes(outcome)).toEqual(['COMMITMENT_NOT_OFFERED']);
    expect(wordsOf(outcome.findings[0], 'en')).toContain('1.2.840.10008.1.20.1');
    const unneeded = await checks(port, { isCommitmentWanted: false }).run('commitment');
    expect(unneeded.state).toBe('advice');
  });
  it('dcmqrscp takes the objects and lists them with what is compared', async () => {
    const sut = checks(await dcmqrscp(), { mayStore: true });
    expect((await sut.run('store')).state).toBe('advice');
    const outcome = await sut.run('find');
    expect([...codes(outcome), outcome.state]).toEqual(['passed']);
  });
});

(hasPeers('Orthanc') ? describe : describe.skip)('Orthanc', () => {
  it('passes what it offers, and lists what was stored', async () => {
    const sut = checks(await orthanc(), { mayStore: true });
    expect(await sut.run('echo')).toEqual({ state: 'passed', findings: [] });
    const stored = await sut.run('store');
    expect(codes(stored)).toEqual(['STORE_CLEAN_UP']);
    expect(stored.findings[0]?.facts.studyUid).toMatch(/^2\.25\.\d+$/);
    expect(await sut.run('find')).toEqual({ state: 'passed', findings: [] });
    // Its report comes to the listener of the modality, which nobody is here.
    const outcome = await sut.run('commitment');
    expect(codes(outcome)).toEqual(['COMMITMENT_NOT_REPORTED']);
    expect(wordsOf(outcome.findings[0], 'en')).toContain('AIFI at 10.1.2.3, port 11112');
  }, 60_000);
  it('tells apart whose AE title is wrong', async () => {
    const port = await orthanc();
    expect(codes(await checks(port, { called: 'OTHER' }).run('echo'))).toEqual([
      'CALLED_AE_UNKNOWN',
    ]);
    const stranger = await checks(port, { calling: 'STRANGER' }).run('echo');
    expect(codes(stranger)).toEqual(['CALLING_AE_UNKNOWN']);
    expect(wordsOf(stranger.findings[0], 'nl')).toContain('AE-titel STRANGER');
  }, 60_000);
});
