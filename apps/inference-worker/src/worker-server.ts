/**
 * Worker server: the Open Inference Protocol over plain HTTP.
 * Decides paths, status codes and the reason header; bodies are streams in both directions, which
 * is why there is no framework here.
 * Invariant: an error answer holds fixed words and a code of the closed table, nothing else.
 * Source: worker contract; Open Inference Protocol v2 (health, metadata, infer).
 */
import { createReadStream } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import type { ModelManifest, ModelPackage } from '@aifi/contracts-manifests';
import { AifiError, type ErrorCode, type ReasonCode, type Result } from '@aifi/shared-kernel';
import type { Logger, Registry } from '@aifi/shared-observability';
import type { InferAnswer } from './infer-answer.js';
import type { InferService } from './infer-service.js';

const HEADER_LENGTH = 'inference-header-content-length';
const MODEL_PATH = /^\/v2\/models\/([a-z0-9-]+)\/versions\/([\d.]+)(\/ready|\/infer)?$/;

const STATUS_OF_REASON: Partial<Record<ReasonCode, number>> = {
  MALFORMED: 400,
  INPUT_INCOMPLETE: 422,
  COVERAGE_INSUFFICIENT: 422,
  TIMEOUT: 504,
};
/** Faults that will be the same next time; the others have no reason and may be tried again. */
const REASON_OF_FAULT: Partial<Record<ErrorCode, ReasonCode>> = {
  INVALID_ARGUMENT: 'MALFORMED',
  LIMIT_EXCEEDED: 'MALFORMED',
  DIGEST_MISMATCH: 'MODEL_FAILED',
  NOT_FOUND: 'MODEL_FAILED',
};

export interface WorkerServerOptions {
  readonly packages: readonly ModelPackage[];
  readonly service: InferService;
  readonly registry: Registry;
  readonly logger: Logger;
}

/** A server that is not listening yet. */
export function createWorkerServer(options: WorkerServerOptions): Server {
  const { logger } = options;
  return createServer((request, response) => {
    answer(options, request, response).catch((error: unknown) => {
      // Nobody is there to be told, and a requester that leaves is no fault.
      if (response.destroyed) return;
      logger.fault('request failed', error);
      sendFault(response, AifiError.from(error));
    });
  });
}

async function answer(
  options: WorkerServerOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { pathname } = new URL(request.url ?? '/', 'http://worker');
  const method = request.method ?? '';
  if (method === 'GET' && pathname === '/v2/health/live') return sendJson(response, { live: true });
  if (method === 'GET' && pathname === '/v2/health/ready') {
    return sendJson(response, { ready: true });
  }
  if (method === 'GET' && pathname === '/metrics') {
    response.setHeader('content-type', options.registry.contentType);
    response.end(await options.registry.metrics());
    return;
  }
  const [, product, version, action] = MODEL_PATH.exec(pathname) ?? [];
  const model = options.packages.find(
    ({ manifest }) => manifest.product === product && manifest.version === version,
  );
  if (!model) throw new AifiError('NOT_FOUND', 'no such model or path');
  if (method === 'POST' && action === '/infer') {
    return infer(options.service, model, request, response);
  }
  if (method !== 'GET') throw new AifiError('NOT_FOUND', 'no such method here');
  sendJson(response, action === '/ready' ? { name: product, ready: true } : metadataOf(model));
}

async function infer(
  service: InferService,
  model: ModelPackage,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  const headerLength = Number(request.headers[HEADER_LENGTH]);
  // An answer before the end of the body must leave the connection open to be read.
  const body = request.iterator({ destroyOnReturn: false });
  const call = { body, headerLength, model, signal: gone.signal };
  const taken = await service.infer(call, (result) => sendResult(response, result));
  if (taken) return;
  response.setHeader('retry-after', '5');
  sendError(response, 503, 'the worker is busy');
}

async function sendResult(response: ServerResponse, result: Result<InferAnswer>): Promise<void> {
  if (!result.ok) {
    const { code } = result.refusal;
    return sendError(response, STATUS_OF_REASON[code] ?? 500, 'the run has no result', code);
  }
  const { json, files } = result.value;
  response.writeHead(200, {
    'content-type': 'application/octet-stream',
    'content-length': files.reduce((sum, file) => sum + file.sizeBytes, json.length),
    [HEADER_LENGTH]: json.length,
  });
  await pipeline(async function* () {
    yield json;
    for (const { path } of files) yield* createReadStream(path);
  }, response);
}

function metadataOf({ manifest }: ModelPackage): unknown {
  return {
    name: manifest.product,
    versions: [manifest.version],
    platform: 'onnxruntime_onnx',
    parameters: { model_digest: manifest.artefact.sha256, label: manifest.label },
    inputs: [{ name: 'dicom', datatype: 'BYTES', shape: [-1] }],
    outputs: outputsOf(manifest),
  };
}

/** Names, types and shapes of the answer's tensors; -1 depends on the run. */
function outputsOf({ input, output }: ModelManifest): unknown[] {
  const tensor = (name: string, datatype: string, shape: readonly number[]): unknown => ({
    name,
    datatype,
    shape,
  });
  const instances = tensor('series_instances', 'BYTES', [-1]);
  if (output.kind === 'detection') {
    return [
      instances,
      tensor('detections', 'FP32', [-1, 5]),
      tensor('detection_instances', 'BYTES', [-1]),
      tensor('preview_sizes', 'INT32', [-1, 2]),
      tensor('image_sizes', 'INT32', [-1, 2]),
      tensor('previews', 'UINT8', [-1, -1, -1]),
    ];
  }
  const grid = input.shape.slice(2);
  return [
    instances,
    tensor('voxel_counts', 'INT64', [output.classes.length]),
    tensor('series_labels', 'UINT8', [-1, -1, -1]),
    tensor('conformed_image', 'UINT8', grid),
    tensor('conformed_labels', 'UINT8', grid),
  ];
}

function sendJson(response: ServerResponse, body: unknown): void {
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify(body));
}

function sendFault(response: ServerResponse, fault: AifiError): void {
  sendError(response, fault.httpStatus, fault.message, REASON_OF_FAULT[fault.code]);
}

function sendError(
  response: ServerResponse,
  status: number,
  error: string,
  reason?: ReasonCode,
): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  response.statusCode = status;
  if (reason) response.setHeader('aifi-reason-code', reason);
  response.setHeader('connection', 'close');
  sendJson(response, { error });
  // A requester that is still sending reads the answer only when it can send on.
  response.req.resume();
}
