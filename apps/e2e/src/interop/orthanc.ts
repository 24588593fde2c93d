/**
 * OrthancPeer: an Orthanc of its own folder and ports, as sender or as PACS of a suite.
 * Decides nothing about content: it starts, is asked over REST, and is gone with its folder.
 * Source: Orthanc Book, REST API.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePorts, temporaryFolder, type TemporaryFolder } from '@aifi/shared-testing';
import { prepareOrthanc, type OrthancOptions } from '../../../../deploy/services/orthanc/start.mjs';

const HOST = '127.0.0.1';
export type OrthancSettings = Partial<Omit<OrthancOptions, 'folder' | 'httpPort'>>;

export interface StoredTags {
  readonly id: string;
  readonly sopInstanceUid: string;
}

const logFileIn = ({ path }: TemporaryFolder): string => join(path, 'orthanc.log');

export class OrthancPeer {
  private constructor(
    readonly dicomPort: number,
    readonly restUrl: string,
    private readonly folder: TemporaryFolder,
    private readonly server: ChildProcess,
  ) {}

  static async start(options: OrthancSettings = {}): Promise<OrthancPeer> {
    const folder = temporaryFolder('interop-orthanc');
    const [freePort, httpPort] = (await freePorts(2)) as [number, number];
    const dicomPort = options.dicomPort ?? freePort;
    const prepared = prepareOrthanc({
      aeTitle: 'ORTHANC',
      modalities: [],
      ...options,
      folder: folder.path,
      dicomPort,
      httpPort,
    });
    const log = openSync(logFileIn(folder), 'w');
    const words = ['--verbose', ...prepared.arguments];
    const server = spawn(prepared.command, words, { stdio: ['ignore', log, log] });
    const peer = new OrthancPeer(dicomPort, prepared.restUrl, folder, server);
    for (let look = 0; !(await peer.isUp()); look += 1) {
      if (look > 600 || server.exitCode !== null) throw new Error('Orthanc does not start');
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return peer;
  }

  async close(): Promise<void> {
    if (this.server.exitCode === null && this.server.signalCode === null) {
      const exited = once(this.server, 'exit');
      // Its folder goes with it: nothing is worth the seconds of a polite end.
      this.server.kill('SIGKILL');
      await exited;
    }
    this.folder.remove();
  }
  /** What it has written down so far. */
  log(): string {
    return readFileSync(logFileIn(this.folder), 'utf8');
  }
  async isUp(): Promise<boolean> {
    return this.get('/system').then(
      () => true,
      () => false,
    );
  }
  get<T>(path: string): Promise<T> {
    return this.#json<T>(path);
  }
  post<T>(path: string, body: unknown): Promise<T> {
    return this.#json<T>(path, { method: 'POST', body: JSON.stringify(body) });
  }

  /** Its identifier of the stored object; undefined when it does not take the file. */
  async upload(file: Buffer): Promise<string | undefined> {
    const body = new Uint8Array(file);
    const response = await fetch(`${this.restUrl}/instances`, { method: 'POST', body });
    const text = await response.text();
    return response.ok ? (JSON.parse(text) as { ID: string }).ID : undefined;
  }
  /** Stores objects to a modality and waits; true when all of them were taken. */
  async store(modality: string, ids: readonly string[], permissive = false): Promise<boolean> {
    const body = { Resources: ids, Synchronous: true, Permissive: permissive, Timeout: 60 };
    return this.post<{ FailedInstancesCount?: number }>(`/modalities/${modality}/store`, body).then(
      ({ FailedInstancesCount = 0 }) => FailedInstancesCount === 0,
      () => false,
    );
  }
  async stored(): Promise<StoredTags[]> {
    const rows =
      await this.get<{ ID: string; MainDicomTags: Record<string, string> }[]>('/instances?expand');
    return rows.map(({ ID, MainDicomTags }) => ({
      id: ID,
      sopInstanceUid: MainDicomTags['SOPInstanceUID'] ?? '',
    }));
  }
  /** The stored file, byte by byte. */
  async file(id: string): Promise<Buffer> {
    return Buffer.from(await (await fetch(`${this.restUrl}/instances/${id}/file`)).arrayBuffer());
  }
  /** This peer as a modality of another one. */
  asModality(name: string, aeTitle: string): OrthancOptions['modalities'][number] {
    return { name, aeTitle, host: HOST, port: this.dicomPort };
  }

  async #json<T>(path: string, init?: RequestInit): Promise<T> {
    const response = await fetch(`${this.restUrl}${path}`, init);
    const text = await response.text();
    if (!response.ok) throw new Error(`Orthanc answered ${response.status} to ${path}`);
    return JSON.parse(text) as T;
  }
}
