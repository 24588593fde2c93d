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
 * @param {import('./start.d.mts').OrthancOptions} options
 * @returns {{ command: string, arguments: string[], restUrl: string }}
 */
export function prepareOrthanc(options) {
  const { folder, aeTitle, dicomPort, httpPort, modalities, plugins = [], settings = {} } = options;
  const storage = join(folder, 'storage');
  mkdirSync(storage, { recursive: true, mode: 0o700 });
  const configuration = {
    Name: aeTitle,
    StorageDirectory: storage,
    IndexDirectory: storage,
    Plugins: [...plugins],
    // Loopback only, so no passwords: RemoteAccessAllowed refuses every other address.
    RemoteAccessAllowed: false,
    AuthenticationEnabled: false,
    HttpPort: httpPort,
    DicomPort: dicomPort,
    DicomAet: aeTitle,
    DicomCheckCalledAet: true,
    DicomAlwaysAllowFind: true,
    DicomModalities: Object.fromEntries(modalities.map((one) => [one.name, modalityOf(one)])),
    StoreMD5ForAttachments: true,
    OverwriteInstances: false,
    // A job list on disk would replay transfers of an earlier run.
    SaveJobs: false,
    ...tlsSettings(options.tls),
    ...settings,
  };
  const file = join(folder, 'orthanc.json');
  writeFileSync(file, `${JSON.stringify(configuration, null, 2)}\n`, { mode: 0o600 });
  const command = findProgram('Orthanc') ?? 'Orthanc';
  return { command, arguments: [file], restUrl: `http://127.0.0.1:${httpPort}` };
}

function modalityOf({ aeTitle, host, port, tls = false, storageCommitment = true }) {
  return {
    AET: aeTitle,
    Host: host,
    Port: port,
    UseDicomTls: tls,
    AllowStorageCommitment: storageCommitment,
  };
}

/** With TLS the DICOM port is a TLS port; the same certificate serves for calls to modalities. */
function tlsSettings(tls) {
  if (!tls) return {};
  return {
    DicomTlsEnabled: tls.isServer ?? true,
    DicomTlsCertificate: tls.certificateFile,
    DicomTlsPrivateKey: tls.keyFile,
    DicomTlsTrustedCertificates: tls.trustedFile,
    DicomTlsRemoteCertificateRequired: true,
  };
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
