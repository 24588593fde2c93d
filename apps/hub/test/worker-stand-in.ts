/**
 * Stand-in for an inference worker: speaks the Open Inference Protocol with binary tensors.
 * Decides the answer by a programme that each test sets; by default it hashes what it read and says
 * that 1000 voxels are of class 1 and 2000 of class 2.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { decodePart10 } from '@aifi/dicom-core';
import { objectsDigest, sha256Hex, type Sha256 } from '@aifi/shared-kernel';

export type Behaviour =
  'answer' | 'break off' | 'other digest' | 'silent' | { readonly code: string };

const VOXELS = 256 ** 3;
const HEADER_LENGTH = 'Inference-Header-Content-Length';

export class WorkerStandIn {
  behaviour: Behaviour = 'answer';
  /** Ids of the requests so far. */
  readonly requests: string[] = [];
  readonly #server: Server = createServer((request, response) => {
    this.#serve(request, response).catch(() => response.destroy());
  });

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }
  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = Buffer.concat((await request.toArray()) as Buffer[]);
    const headerLength = Number(request.headers[HEADER_LENGTH.toLowerCase()]);
    const asked = JSON.parse(body.subarray(0, headerLength).toString()) as {
      id: string;
      parameters: { model_digest: string };
    };
    this.requests.push(asked.id);
    const { behaviour } = this;
    if (behaviour === 'silent') return;
    if (behaviour === 'break off') return void response.destroy();
    if (typeof behaviour === 'object') {
      response.writeHead(422, { 'Aifi-Reason-Code': behaviour.code });
      return void response.end(JSON.stringify({ error: 'refused' }));
    }
    const objects = objectsOf(body.subarray(headerLength));
    const read = objectsDigest(objects.map((object) => sha256Hex(object)));
    const inputDigest = behaviour === 'other digest' ? sha256Hex('other') : read;
    answer(response, { asked, objects, inputDigest });
  }
}

function objectsOf(body: Buffer): Buffer[] {
  const objects: Buffer[] = [];
  for (let offset = 0; offset < body.length;) {
    const length = body.readUInt32LE(offset);
    objects.push(body.subarray(offset + 4, offset + 4 + length));
    offset += 4 + length;
  }
  return objects;
}

function answer(
  response: ServerResponse,
  {
    asked,
    objects,
    inputDigest,
  }: {
    asked: { id: string; parameters: { model_digest: string } };
    objects: readonly Buffer[];
    inputDigest: Sha256;
  },
): void {
  const uids = objects.map((object) => decodePart10(object).meta.sopInstanceUid);
  const conformed = { shape: [256, 256, 256], parameters: { binary_data_size: VOXELS } };
  const series = { shape: [uids.length, 2, 2], parameters: { binary_data_size: uids.length * 4 } };
  const header = Buffer.from(
    JSON.stringify({
      id: asked.id,
      model_name: 'stand-in',
      model_version: '1.0.0',
      parameters: {
        model_digest: asked.parameters.model_digest,
        input_digest: inputDigest,
        started_at_ms: 1_700_000_001_000,
        finished_at_ms: 1_700_000_002_000,
      },
      outputs: [
        { name: 'series_instances', datatype: 'BYTES', shape: [uids.length], data: uids },
        {
          name: 'voxel_counts',
          datatype: 'INT64',
          shape: [3],
          data: [VOXELS - 3000, 1000, 2000],
        },
        { name: 'series_labels', datatype: 'UINT8', ...series },
        { name: 'conformed_image', datatype: 'UINT8', ...conformed },
        { name: 'conformed_labels', datatype: 'UINT8', ...conformed },
      ],
    }),
  );
  response.writeHead(200, { [HEADER_LENGTH]: header.length });
  response.write(header);
  response.write(Buffer.alloc(uids.length * 4));
  response.write(Buffer.alloc(VOXELS, 100));
  response.end(Buffer.alloc(VOXELS, 1));
}
