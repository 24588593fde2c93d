/**
 * Starting an Orthanc of our own: the PACS of one demo or test hospital.
 * Decides its configuration: loopback only, checked AE titles, stored objects are never replaced,
 * everything in one folder that its owner removes. The packaged service and its configuration are
 * never touched. Source: Orthanc Book, configuration; orthanc --config of 1.10.1.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findProgram } from '../apt.mjs';

/**
 * Writes the configuration into `folder` and says how to start the server.
 * @param {{ folder: string, aeTitle: string, dicomPort: number, httpPort: number,
 *   modalities: readonly { name: string, aeTitle: string, host: string, port: number }[] }} options
 * @returns {{ command: string, arguments: string[], restUrl: string }}
 */
export function prepareOrthanc({ folder, aeTitle, dicomPort, httpPort, modalities }) {
  const storage = join(folder, 'storage');
  mkdirSync(storage, { recursive: true, mode: 0o700 });
  const configuration = {
    Name: aeTitle,
    StorageDirectory: storage,
    IndexDirectory: storage,
    Plugins: [],
    // Loopback only, so no passwords: RemoteAccessAllowed refuses every other address.
    RemoteAccessAllowed: false,
    AuthenticationEnabled: false,
    HttpPort: httpPort,
    DicomPort: dicomPort,
    DicomAet: aeTitle,
    DicomCheckCalledAet: true,
    DicomAlwaysAllowFind: true,
    DicomModalities: Object.fromEntries(
      modalities.map(({ name, aeTitle: title, host, port }) => [name, [title, host, port]]),
    ),
    StoreMD5ForAttachments: true,
    OverwriteInstances: false,
    // A job list on disk would replay transfers of an earlier run.
    SaveJobs: false,
  };
  const file = join(folder, 'orthanc.json');
  writeFileSync(file, `${JSON.stringify(configuration, null, 2)}\n`, { mode: 0o600 });
  const command = findProgram('Orthanc') ?? 'Orthanc';
  return { command, arguments: [file], restUrl: `http://127.0.0.1:${httpPort}` };
}

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/** `node start.mjs [AE title]`: runs one in the foreground on free ports until Ctrl-C. */
async function main() {
  const folder = mkdtempSync(join(tmpdir(), 'aifi-orthanc-'));
  const [dicomPort, httpPort, aeTitle] = [await freePort(), await freePort(), process.argv[2]];
  const options = { folder, aeTitle: aeTitle ?? 'ORTHANC', dicomPort, httpPort, modalities: [] };
  const prepared = prepareOrthanc(options);
  const server = spawn(prepared.command, prepared.arguments, { stdio: 'inherit' });
  console.log(`${options.aeTitle}: DICOM port ${dicomPort}, ${prepared.restUrl}`);
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => server.kill('SIGTERM'));
  server.on('exit', (code) => {
    rmSync(folder, { recursive: true, force: true });
    process.exitCode = code ?? 1;
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
