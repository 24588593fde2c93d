/**
 * A gateway's door for tests: the real listener child with a web listener, a real database, and a
 * peer that posts what it likes, whole or byte by byte.
 * Decides that suites speak to the same door as a hospital does.
 */
import { readdirSync, statSync } from 'node:fs';
import { request, type IncomingHttpHeaders } from 'node:http';
import { request as requestTls, type RequestOptions } from 'node:https';
import { join } from 'node:path';
import { DicomDataset, encodePart10 } from '@aifi/dicom-core';
import { GATEWAY_MIGRATIONS, GatewayDatabase } from '@aifi/gateway-database';
import { systemClock } from '@aifi/shared-kernel';
import { silentLogger } from '@aifi/shared-observability';
import { keyRingOf } from '@aifi/shared-site-keys';
import { fakeSiteKeys, temporaryFolder } from '@aifi/shared-testing';
import { receiveConfigSchema } from './receive.config.js';
import {
  createReceiveStage,
  type ListeningPorts,
  type ReceiveDependencies,
} from './receive-stage.js';

export const HOST = '127.0.0.1';
export const MR = '1.2.840.10008.5.1.4.1.1.4';
export const BOUNDARY = 'between-the-parts';
export const STOW = `multipart/related; type="application/dicom"; boundary=${BOUNDARY}`;

/** An object as a Part 10 file. */
export function aFile(sopInstanceUid: string, study = '2.25.1', pixelBytes = 2_000): Buffer {
  return encodePart10(
    new DicomDataset()
      .setString('SOPClassUID', MR)
      .setString('SOPInstanceUID', sopInstanceUid)
      .setString('Modality', 'MR')
      .setString('PatientName', 'Canary^Yellow')
      .setString('PatientID', 'CANARY-1')
      .setString('StudyInstanceUID', study)
      .setString('SeriesInstanceUID', '2.25.2')
      .setNumbers('Rows', [1])
      .setNumbers('Columns', [pixelBytes / 2])
      .setNumbers('SamplesPerPixel', [1])
      .setNumbers('BitsAllocated', [16])
      .setBytes('PixelData', Buffer.alloc(pixelBytes, 7), 'OW'),
  );
}
export function partOf(file: Uint8Array, header = 'Content-Type: application/dicom'): Buffer {
  return Buffer.concat([Buffer.from(`--${BOUNDARY}\r\n${header}\r\n\r\n`), file, CRLF]);
}
const CRLF = Buffer.from('\r\n');
export const LAST = Buffer.from(`--${BOUNDARY}--\r\n`);
export const bodyOf = (...files: readonly Uint8Array[]): Buffer =>
  Buffer.concat([...files.map((file) => partOf(file)), LAST]);

export interface Posted {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}
export interface PostOptions {
  readonly path?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly tls?: RequestOptions;
  readonly port: number;
}

/** Sends a body, whole or in pieces; the answer may come before all of it was sent. */
export function post(
  body: Uint8Array | AsyncIterable<Uint8Array>,
  { path = '/studies', method = 'POST', headers = {}, tls, port }: PostOptions,
): Promise<Posted> {
  return new Promise((resolve, reject) => {
    const common = { host: HOST, port, path, method, agent: false as const };
    const options = { ...common, headers: { 'content-type': STOW, ...headers } };
    const sent = tls ? requestTls({ ...options, ...tls }) : request(options);
    sent.on('error', reject);
    sent.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        resolve({ status: response.statusCode!, headers: response.headers, text });
      });
    });
    void (async () => {
      for await (const chunk of body instanceof Uint8Array ? [body] : body) {
        if (sent.destroyed) return;
        if (!sent.write(chunk)) await new Promise((done) => sent.once('drain', done));
      }
      sent.end();
    })();
  });
}

/** UIDs of the instances in a sequence of the answer, and reasons where there are some. */
export function listed({ text }: Posted, tag: string): [string | undefined, number | undefined][] {
  type Element = { readonly Value?: readonly unknown[] };
  const answer = JSON.parse(text) as Record<string, Element>;
  const items = (answer[tag]?.Value ?? []) as Record<string, Element>[];
  return items.map((item) => [
    item['00081155']?.Value?.[0] as string | undefined,
    item['00081197']?.Value?.[0] as number | undefined,
  ]);
}
export const STORED = '00081199';
export const FAILED = '00081198';
export const NAMELESS = '0008119A';

export class WebSite {
  readonly folder = temporaryFolder('web');
  readonly database = GatewayDatabase.open(
    join(this.folder.path, 'gateway.db'),
    GATEWAY_MIGRATIONS,
  );
  ports!: ListeningPorts;
  #stop = new AbortController();
  #running: Promise<void> = Promise.resolve();

  /** `web`: settings of the web listener. */
  async start(web: object | undefined, more: Partial<ReceiveDependencies> = {}): Promise<void> {
    this.#stop = new AbortController();
    const callers = [{ aeTitle: 'PEER', host: HOST, plain: true }];
    const stage = createReceiveStage({
      database: this.database,
      dataFolder: this.folder.path,
      config: receiveConfigSchema.parse({ port: 0, aeTitle: 'AIFI', callers, web }),
      keys: keyRingOf(fakeSiteKeys()),
      clock: systemClock,
      logger: silentLogger,
      ...more,
    });
    this.#running = stage.run(this.#stop.signal);
    this.ports = await stage.listening;
  }
  async end(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }
  async remove(): Promise<void> {
    await this.end();
    this.database.close();
    this.folder.remove();
  }

  post(
    body: Uint8Array | AsyncIterable<Uint8Array>,
    options: Partial<PostOptions> = {},
  ): Promise<Posted> {
    return post(body, { port: this.ports.webPort, ...options });
  }
  rows(): Record<string, string | number>[] {
    return this.database.read((sql) => sql.all('SELECT * FROM instance ORDER BY instance_id'));
  }
  /** Objects; empty files are made ahead for the next ones. */
  files(): string[] {
    const incoming = join(this.folder.path, 'incoming');
    return readdirSync(incoming).filter((name) => statSync(join(incoming, name)).size > 0);
  }
  /** What was refused, once it was so often. */
  async refusals(times: number): Promise<Record<string, string | number>[]> {
    for (;;) {
      const rows = this.database.read((sql) =>
        sql.all<Record<string, string | number>>(
          `SELECT calling_ae, what, code, dimse_status, SUM(count) AS count FROM receive_refusal
            GROUP BY calling_ae, what, code, dimse_status ORDER BY what, code, dimse_status`,
        ),
      );
      const counted = rows.reduce((sum, row) => sum + Number(row['count']), 0);
      if (counted >= times) return rows.map((row) => ({ ...row }));
      await systemClock.sleep(20);
    }
  }
}
