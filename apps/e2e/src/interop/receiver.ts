/**
 * Receiver: the real receive stage on loopback, with its listener child and its database.
 * Decides nothing: it starts the stage as the gateway does and shows what it keeps and refuses.
 * Invariant: what a suite compares is read from disk and from committed rows only.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  createReceiveStage,
  type ListeningPorts,
  type ReceiveConfig,
  type ReceiveDependencies,
} from '@aifi/gateway-receive';
import { GATEWAY_MIGRATIONS, GatewayDatabase, type Row } from '@aifi/gateway-database';
import { sha256Hex, systemClock } from '@aifi/shared-kernel';
import { silentLogger } from '@aifi/shared-observability';
import { keyRingOf } from '@aifi/shared-site-keys';
import { fakeSiteKeys, temporaryFolder, type TemporaryFolder } from '@aifi/shared-testing';

const HOST = '127.0.0.1';
export const CALLED = 'AIFI';
/** A caller from this machine without TLS. */
export const PLAIN = { host: HOST, plain: true, lane: 'routine' } as const;

export interface ReceivedRow {
  readonly sopInstanceUid: string;
  readonly sopClassUid: string;
  readonly transferSyntaxUid: string;
  readonly conflict: boolean;
  /** The dataset part of the stored file. */
  readonly dataset: Buffer;
  /** True when the digest and the size in the row are those of the file on disk. */
  readonly isAsRecorded: boolean;
}
export interface RefusalCount {
  readonly what: string;
  readonly code: string;
  readonly reason: string;
  readonly dimseStatus: number;
  readonly count: number;
}

/** Callers, TLS and what is done with reports of storage commitment, as the gateway says it. */
export type ReceiverSettings = Pick<ReceiveConfig, 'callers'> &
  Partial<Pick<ReceiveConfig, 'tls' | 'port' | 'web'>> &
  Partial<Pick<ReceiveDependencies, 'commitmentFrom' | 'onCommitment'>>;

export class Receiver {
  private constructor(
    private readonly ports: ListeningPorts,
    private readonly folder: TemporaryFolder,
    private readonly database: GatewayDatabase,
    private readonly end: () => Promise<void>,
  ) {}

  /** 0 where there is none. */
  get port(): number {
    return this.ports.port;
  }
  get tlsPort(): number {
    return this.ports.tlsPort;
  }
  get webPort(): number {
    return this.ports.webPort;
  }
  get webTlsPort(): number {
    return this.ports.webTlsPort;
  }

  /** Starts one that answers those calling AE titles, from this machine without TLS. */
  static start(...titles: readonly string[]): Promise<Receiver> {
    const callers = titles.map((aeTitle) => ({ aeTitle, ...PLAIN }));
    return Receiver.startWith({ callers, port: 0 });
  }
  static async startWith(settings: ReceiverSettings): Promise<Receiver> {
    const folder = temporaryFolder('interop');
    const database = GatewayDatabase.open(join(folder.path, 'gateway.db'), GATEWAY_MIGRATIONS);
    const stop = new AbortController();
    const { callers, port, tls, web, ...more } = settings;
    const stage = createReceiveStage({
      database,
      dataFolder: folder.path,
      config: { host: HOST, port, tls, aeTitle: CALLED, callers, ...(web && { web }) },
      keys: keyRingOf(fakeSiteKeys()),
      clock: systemClock,
      logger: silentLogger,

      ...more,
    });
    const running = stage.run(stop.signal);
    return new Receiver(await stage.listening, folder, database, async () => {
      stop.abort();
      await running;
    });
  }

  async close(): Promise<void> {
    await this.end();
    this.database.close();
    this.folder.remove();
  }

  /** Process id of the listener child. */
  listenerPid(): number {
    const words = ['-P', `${process.pid}`, '-f', 'listener-main'];
    return Number(spawnSync('pgrep', words, { encoding: 'utf8' }).stdout.trim());
  }
  get files(): string[] {
    return readdirSync(join(this.folder.path, 'incoming'));
  }
  /** Rows of one object, or all of them. */
  rows(sopInstanceUid?: string): ReceivedRow[] {
    const rows = this.database.read((sql) =>
      sql.all<Row>(
        `SELECT sop_instance_uid, sop_class_uid, transfer_syntax_uid, conflict, path, sha256,
           size_bytes FROM instance WHERE ? IS NULL OR sop_instance_uid = ?`,
        sopInstanceUid ?? null,
        sopInstanceUid ?? null,
      ),
    );
    return rows.map((row) => {
      const file = readFileSync(String(row['path']));
      return {
        sopInstanceUid: String(row['sop_instance_uid']),
        sopClassUid: String(row['sop_class_uid']),
        transferSyntaxUid: String(row['transfer_syntax_uid']),
        conflict: row['conflict'] === 1,
        dataset: datasetOf(file),
        isAsRecorded: row['sha256'] === sha256Hex(file) && row['size_bytes'] === file.length,
      };
    });
  }
  refusals(): RefusalCount[] {
    const rows = this.database.read((sql) =>
      sql.all<Row>(
        `SELECT what, code, dimse_status, reason, SUM(count) AS count FROM receive_refusal
         GROUP BY what, code, dimse_status, reason`,
      ),
    );
    return rows.map((row) => ({
      what: String(row['what']),
      code: String(row['code']),
      dimseStatus: Number(row['dimse_status']),
      reason: String(row['reason']),
      count: Number(row['count']),
    }));
  }
}

/** What follows the file meta information of a Part 10 file (PS3.10 7.1). */
function datasetOf(file: Buffer): Buffer {
  const groupLength = file.readUInt32LE(140);
  return file.subarray(144 + groupLength);
}
