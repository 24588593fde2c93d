/**
 * A PACS of DCMTK: dcmqrscp with a storage area of its own on a free port.
 * Decides its configuration: one AE title, anybody may ask, stored as received. It has no TLS.
 * Source: DCMTK 3.6.7, dcmqrcnf.txt.
 */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePorts, temporaryFolder, type TemporaryFolder } from '@aifi/shared-testing';

const run = promisify(execFile);
const HOST = '127.0.0.1';

export class DcmqrscpPacs {
  private constructor(
    readonly port: number,
    private readonly folder: TemporaryFolder,
    private readonly server: ChildProcess,
  ) {}

  static async start(aeTitle: string): Promise<DcmqrscpPacs> {
    const folder = temporaryFolder('interop-dcmqrscp');
    const [port] = (await freePorts(1)) as [number];
    mkdirSync(join(folder.path, 'storage'));
    const lines = [
      `NetworkTCPPort = ${port}`,
      'MaxPDUSize = 16384',
      'MaxAssociations = 8',
      'HostTable BEGIN',
      'HostTable END',
      'VendorTable BEGIN',
      'VendorTable END',
      'AETable BEGIN',
      `${aeTitle} ${join(folder.path, 'storage')} RW (50, 100mb) ANY`,
      'AETable END',
    ];
    const configuration = join(folder.path, 'dcmqrscp.cfg');
    writeFileSync(configuration, `${lines.join('\n')}\n`);
    const server = spawn('dcmqrscp', ['-c', configuration], { stdio: 'ignore' });
    const pacs = new DcmqrscpPacs(port, folder, server);
    const isUp = () =>
      run('echoscu', ['-aec', aeTitle, HOST, `${port}`]).then(
        () => true,
        () => false,
      );
    for (let look = 0; !(await isUp()); look += 1) {
      if (look > 200) throw new Error('dcmqrscp does not start');
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return pacs;
  }

  async close(): Promise<void> {
    const exited = once(this.server, 'exit');
    this.server.kill('SIGKILL');
    await exited;
    this.folder.remove();
  }
  /** The stored files. */
  files(): Buffer[] {
    const storage = join(this.folder.path, 'storage');
    const names = readdirSync(storage).filter((name) => name !== 'index.dat');
    return names.map((name) => readFileSync(join(storage, name)));
  }
}
