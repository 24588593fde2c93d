/**
 * The worker's answer: a JSON header and binary tensors, as one sealed object.
 * Decides what the hub accepts as the output of a model: the declared tensors, whole, for the model
 * and the bytes that were asked for (guard C6). Binary tensors follow the header in its order.
 * Source: Open Inference Protocol v2, binary tensor data extension; reliability specification P4.
 */
import { z } from 'zod';
import { sha256Schema, epochMsSchema } from '@aifi/contracts-manifests';
import { AifiError, LIMITS, type Sha256 } from '@aifi/shared-kernel';

/** Names, shapes and UIDs of the largest study take about 4 MB. @unit bytes */
export const HEADER_BYTES_MAX = 8 * 1024 * 1024;

const tensorSchema = z.object({
  name: z.string().max(64),
  datatype: z.enum(['BYTES', 'FP32', 'INT32', 'INT64', 'UINT8']),
  shape: z.array(z.int().nonnegative()).max(8),
  data: z.array(z.union([z.string(), z.number()])).optional(),
  parameters: z.object({ binary_data_size: z.int().nonnegative() }).optional(),
});
const answerSchema = z.object({
  id: z.string(),
  parameters: z.object({
    model_digest: sha256Schema,
    input_digest: sha256Schema,
    started_at_ms: epochMsSchema,
    finished_at_ms: epochMsSchema,
  }),
  outputs: z.array(tensorSchema).min(1).max(16),
});
export type WorkerAnswer = z.infer<typeof answerSchema>;

/** What the answer must repeat. */
export interface ExpectedAnswer {
  readonly requestId: string;
  readonly modelDigest: Sha256;
  readonly inputDigest: Sha256;
}

/** Parses the header; MODEL_FAILED when it is not an answer to exactly this request. */
export function readAnswerHeader(bytes: Uint8Array, expected: ExpectedAnswer): WorkerAnswer {
  let json: unknown;
  try {
    json = JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch (error) {
    throw new AifiError('MODEL_FAILED', 'the answer is not JSON', { cause: error });
  }
  const parsed = answerSchema.safeParse(json);
  if (!parsed.success) throw new AifiError('MODEL_FAILED', 'the answer has another form');
  const { id, parameters } = parsed.data;
  if (id !== expected.requestId || parameters.model_digest !== expected.modelDigest) {
    throw new AifiError('MODEL_FAILED', 'the answer is for another request or model');
  }
  if (parameters.input_digest !== expected.inputDigest) {
    throw new AifiError('DIGEST_MISMATCH', 'the worker read other bytes than were sent');
  }
  return parsed.data;
}

/** Bytes of binary tensors that follow the header. @unit bytes */
export function binarySize({ outputs }: WorkerAnswer): number {
  let total = 0;
  for (const { datatype, shape, data, parameters } of outputs) {
    const size = parameters?.binary_data_size;
    const elements = shape.reduce((product, length) => product * length, 1);
    const isWhole = size === undefined ? data?.length === elements : size === elements;
    if (!isWhole || (size !== undefined && datatype !== 'UINT8')) {
      throw new AifiError('MODEL_FAILED', 'a tensor does not have its shape');
    }
    total += size ?? 0;
  }
  if (total > LIMITS.objectBytesMax) throw new AifiError('MODEL_FAILED', 'the answer is too large');
  return total;
}
