/**
 * Infer answer: a finished run in the framing of the protocol.
 * Decides names, types and order of the output tensors per kind of model; small ones are data in
 * the JSON, pictures and volumes follow as binaries in the order of the outputs.
 * Source: worker contract; Open Inference Protocol, binary tensor data extension.
 */
import { join, parse } from 'node:path';
import type { ModelManifest } from '@aifi/contracts-manifests';
import { filesOf } from './report-check.js';
import type { DetectionSuccess, RunSuccess, SegmentationSuccess } from './run-protocol.js';

/** An answer in the framing of the protocol: JSON, then these files in order. */
export interface InferAnswer {
  readonly json: Buffer;
  readonly files: readonly { readonly path: string; readonly sizeBytes: number }[];
}
export interface FinishedRun {
  readonly id: string;
  readonly success: RunSuccess;
  readonly outputFolder: string;
  readonly times: { readonly started_at_ms: number; readonly finished_at_ms: number };
}
interface DataTensor {
  readonly name: string;
  readonly datatype: 'BYTES' | 'FP32' | 'INT32' | 'INT64';
  readonly shape: readonly number[];
  /** Flat, row-major. */
  readonly data: readonly (string | number)[];
}

export function answerOf(manifest: ModelManifest, run: FinishedRun): InferAnswer {
  const { id, success, outputFolder, times } = run;
  const files = filesOf(success);
  const json = {
    id,
    model_name: manifest.product,
    model_version: manifest.version,
    parameters: {
      model_digest: manifest.artefact.sha256,
      input_digest: success.inputDigest,
      ...times,
    },
    outputs: [
      ...(success.kind === 'segmentation' ? segmentationData(success) : detectionData(success)),
      ...files.map(({ name, shape, sizeBytes }) => ({
        // A tensor has the name of its file.
        name: parse(name).name,
        datatype: 'UINT8',
        shape,
        parameters: { binary_data_size: sizeBytes },
      })),
    ],
  };
  return {
    json: Buffer.from(JSON.stringify(json)),
    files: files.map(({ name, sizeBytes }) => ({ path: join(outputFolder, name), sizeBytes })),
  };
}

function segmentationData({ seriesInstances, voxelCounts }: SegmentationSuccess): DataTensor[] {
  return [
    tensor('series_instances', 'BYTES', [seriesInstances.length], seriesInstances),
    tensor('voxel_counts', 'INT64', [voxelCounts.length], voxelCounts),
  ];
}

function detectionData({ images, detections }: DetectionSuccess): DataTensor[] {
  const [m, n] = [images.length, detections.length];
  const uids = images.map((image) => image.sopInstanceUid);
  return [
    tensor('series_instances', 'BYTES', [m], uids),
    tensor(
      'detections',
      'FP32',
      [n, 5],
      detections.flatMap(({ box, score }) => [...box, score]),
    ),
    tensor(
      'detection_instances',
      'BYTES',
      [n],
      detections.map(({ image }) => uids[image]!),
    ),
    tensor(
      'preview_sizes',
      'INT32',
      [m, 2],
      images.flatMap(({ previewRows, previewColumns }) => [previewRows, previewColumns]),
    ),
    tensor(
      'image_sizes',
      'INT32',
      [m, 2],
      images.flatMap(({ rows, columns }) => [rows, columns]),
    ),
  ];
}

function tensor(
  name: string,
  datatype: DataTensor['datatype'],
  shape: readonly number[],
  data: DataTensor['data'],
): DataTensor {
  return { name, datatype, shape, data };
}
