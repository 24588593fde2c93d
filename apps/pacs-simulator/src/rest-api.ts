/**
 * The few calls of Orthanc's REST interface that the demo uses, with Orthanc's paths and shapes.
 * Decides nothing of its own: whoever talks to an Orthanc talks to this in the same words.
 * Source: the REST interface of Orthanc 1.10.
 */
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { z } from 'zod';
import { AifiError } from '@aifi/shared-kernel';
import {
  KEY_OF_LEVEL,
  LEVELS,
  type Archive,
  type ArchivedInstance,
  type Level,
} from './archive.js';
import { sendToModality } from './dicom-service.js';
import type { SimulatorConfig } from './simulator.config.js';

const BODY_BYTES_MAX = 512 * 1024 * 1024;
const FOLDER_OF_LEVEL = {
  Patient: 'patients',
  Study: 'studies',
  Series: 'series',
  Instance: 'instances',
} as const;
const findSchema = z.object({
  Level: z.enum(LEVELS),
  Query: z.record(z.string(), z.string()).default({}),
  Expand: z.boolean().default(false),
});
const idsSchema = z.array(z.string());
const storeSchema = z.union([
  idsSchema,
  z.object({ Resources: idsSchema, Synchronous: z.boolean().optional() }),
]);

type Handler = (request: { parameter: string; body: Buffer }) => Promise<unknown>;
type Route = readonly [method: string, path: RegExp, handler: Handler];

function expanded({ ids, tags, sizeBytes }: ArchivedInstance, level: Level): unknown {
  const parent = LEVELS[LEVELS.indexOf(level) - 1];
  const parents = parent ? { [`Parent${parent}`]: ids[parent] } : {};
  const size = level === 'Instance' ? { FileSize: sizeBytes } : {};
  return { ID: ids[level], Type: level, MainDicomTags: tags, ...parents, ...size };
}
const pathOf = (level: Level, id: string): string => `/${FOLDER_OF_LEVEL[level]}/${id}`;

function routes(config: SimulatorConfig, archive: Archive, dicomPort: number): readonly Route[] {
  const system = { ApiVersion: 17, Name: 'AIFI PACS simulator', Version: '1.10.1' };
  const dicom = { DicomAet: config.dicom.aeTitle, DicomPort: dicomPort };
  return [
    ['GET', /^\/system$/, async () => ({ ...system, ...dicom })],
    ['GET', /^\/instances$/, async () => archive.all.map(({ ids }) => ids.Instance)],
    ['POST', /^\/instances$/, ({ body }) => addInstance(archive, body)],
    ['GET', /^\/instances\/([0-9a-f-]+)\/file$/, ({ parameter }) => file(archive, parameter)],
    [
      'GET',
      /^\/studies\/([0-9a-f-]+)\/instances$/,
      async ({ parameter }) =>
        archive.ofResource(parameter).map((found) => expanded(found, 'Instance')),
    ],
    ['POST', /^\/tools\/lookup$/, async ({ body }) => lookup(archive, body.toString().trim())],
    ['POST', /^\/tools\/find$/, async ({ body }) => find(archive, JSON.parse(body.toString()))],
    [
      'POST',
      /^\/modalities\/([^/]+)\/store$/,
      ({ parameter, body }) => store(config, archive, parameter, body.toString().trim()),
    ],
  ];
}

function file(archive: Archive, id: string): Promise<Buffer> {
  const [instance] = archive.ofResource(id);
  if (!instance) throw new AifiError('NOT_FOUND', 'no such instance');
  return readFile(instance.path);
}
async function addInstance(archive: Archive, body: Buffer): Promise<unknown> {
  const { instance, isNew } = await archive.add(body);
  const { Instance: ID, Patient, Study, Series } = instance.ids;
  const parents = { ParentPatient: Patient, ParentStudy: Study, ParentSeries: Series };
  const Status = isNew ? 'Success' : 'AlreadyStored';
  return { ID, Path: pathOf('Instance', ID), Status, ...parents };
}
function lookup(archive: Archive, value: string): unknown {
  return LEVELS.flatMap((Type) => {
    const found = value ? archive.resources(Type, { [KEY_OF_LEVEL[Type]]: value }) : [];
    return found.map(({ ids }) => ({ ID: ids[Type], Path: pathOf(Type, ids[Type]), Type }));
  });
}
function find(archive: Archive, request: unknown): unknown {
  const { Level: level, Query, Expand } = findSchema.parse(request);
  const found = archive.resources(level, Query);
  return found.map((one) => (Expand ? expanded(one, level) : one.ids[level]));
}
async function store(
  config: SimulatorConfig,
  archive: Archive,
  modality: string,
  text: string,
): Promise<unknown> {
  const wanted = /^[[{]/.test(text) ? storeSchema.parse(JSON.parse(text)) : [text];
  const resources = Array.isArray(wanted) ? wanted : wanted.Resources;
  const instances = resources.flatMap((id) => archive.ofResource(id));
  const sent = await sendToModality(config, decodeURIComponent(modality), instances);
  if (sent.failed > 0) throw new AifiError('PEER_REFUSED', 'the modality did not take all');
  const titles = { LocalAet: config.dicom.aeTitle, RemoteAet: sent.remoteAet };
  return { ...titles, InstancesCount: instances.length, FailedInstancesCount: 0 };
}

async function respond(table: readonly Route[], request: IncomingMessage): Promise<Buffer> {
  const { pathname } = new URL(request.url ?? '/', 'http://localhost');
  const body = await bodyOf(request);
  for (const [method, path, handler] of table) {
    const match = method === request.method ? path.exec(pathname) : null;
    if (!match) continue;
    const value = await handler({ parameter: match[1] ?? '', body });
    return Buffer.isBuffer(value) ? value : Buffer.from(JSON.stringify(value));
  }
  throw new AifiError('NOT_FOUND', 'no such resource');
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > BODY_BYTES_MAX) throw new AifiError('LIMIT_EXCEEDED', 'body is too long');
    parts.push(part);
  }
  return Buffer.concat(parts);
}

/** Listens on config.http; the caller closes it. */
export async function startRestApi(
  config: SimulatorConfig,
  archive: Archive,
  dicomPort: number,
): Promise<Server> {
  const table = routes(config, archive, dicomPort);
  const server = createServer((request, response) => {
    respond(table, request).then(
      (body) => response.end(body),
      (error: unknown) => {
        const isBadRequest = error instanceof z.ZodError || error instanceof SyntaxError;
        response.statusCode = isBadRequest ? 400 : AifiError.from(error).httpStatus;
        response.end(JSON.stringify({ HttpStatus: response.statusCode }));
      },
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(config.http.port, config.http.host, resolve);
  });
  return server;
}
