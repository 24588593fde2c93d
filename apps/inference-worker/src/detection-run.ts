/**
 * Detection run: radiographs, one after the other, to boxes in each and a preview of each.
 * Decides that one image that cannot be read ends the run: a result that is silent about an image
 * would read as a negative one.
 * Shapes: input [1, 1, height, width] float32; boxes [n, 4] and scores [n] float32.
 * Source: worker contract.
 */
import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { DetectionOutput } from '@aifi/contracts-manifests';
import {
  greyPictureOf,
  letterbox,
  placePicture,
  readRadiograph,
  resized,
  sizeWithin,
  type FrameSize,
  type GreyPicture,
  type LetterboxedPicture,
} from '@aifi/dicom-pixels';
import { AifiError, objectsDigest, ok, refuse, type Result } from '@aifi/shared-kernel';
import type { Sha256 } from '@aifi/shared-kernel';
import { selectBoxes, toStoredImage, type ScoredBox } from './detections.js';
import { scaledInput, type ModelWork } from './model-input.js';
import {
  DETECTIONS_MAX,
  PREVIEW_SIDE_MAX,
  previewFrameOf,
  PREVIEWS_FILE,
  RADIOGRAPHS_MAX,
  type DetectionSuccess,
} from './run-protocol.js';

/** Runs and writes the previews; refusals and faults as in `readRadiograph`. */
export async function runDetection(
  work: ModelWork,
  output: DetectionOutput,
): Promise<Result<DetectionSuccess>> {
  const { objectPaths, manifest, artefact } = work;
  if (objectPaths.length > RADIOGRAPHS_MAX) {
    throw new AifiError('LIMIT_EXCEEDED', 'more radiographs than are read at once');
  }
  if (objectPaths.length < manifest.intendedUse.instancesMin) {
    return refuse('INPUT_INCOMPLETE', 'fewer instances than the product needs');
  }
  const session = await InferenceSession.create(artefact);
  const images: DetectionSuccess['images'] = [];
  const detections: DetectionSuccess['detections'] = [];
  const previews: GreyPicture[] = [];
  const digests: Sha256[] = [];
  for (const [image, path] of objectPaths.entries()) {
    const read = await readRadiograph(path);
    if (!read.ok) return read;
    const { sopInstanceUid, rows, columns, objectDigest } = read.value;
    const picture = greyPictureOf(read.value);
    const boxed = letterbox(picture, inputSize(manifest.input.shape));
    const found = await detect(session, boxed, { ...work, output });
    if (!found.ok) return found;
    for (const { box, score } of found.value) {
      const stored = toStoredImage(box, boxed, picture);
      if (stored) detections.push({ image, box: stored, score });
    }
    const preview = previewOf(picture);
    const previewSize = { previewRows: preview.rows, previewColumns: preview.columns };
    images.push({ sopInstanceUid, rows, columns, ...previewSize });
    previews.push(preview);
    digests.push(objectDigest);
  }
  if (detections.length > DETECTIONS_MAX) return refuse('OUTPUT_INVALID', 'too many boxes');
  const inputDigest = objectsDigest(digests);
  const success: DetectionSuccess = { kind: 'detection', images, detections, inputDigest };
  await work.write(PREVIEWS_FILE, stacked(previews, previewFrameOf(success)));
  return ok(success);
}

/** The last two of [batch, channel, height, width]. */
function inputSize(shape: readonly number[]): FrameSize {
  return { rows: shape[2]!, columns: shape[3]! };
}

async function detect(
  session: InferenceSession,
  picture: LetterboxedPicture,
  { manifest, output }: ModelWork & { readonly output: DetectionOutput },
): Promise<Result<ScoredBox[]>> {
  const { input } = manifest;
  const { names } = output;
  const tensor = new Tensor('float32', scaledInput(picture.data, manifest), input.shape);
  const outputs = await session.run({ [input.name]: tensor }, Object.values(names));
  const [boxes, scores] = [outputs[names.boxes], outputs[names.scores]];
  if (boxes?.type !== 'float32' || boxes.dims.length !== 2 || boxes.dims[1] !== 4) {
    return refuse('OUTPUT_INVALID', 'boxes have another type or shape');
  }
  if (scores?.type !== 'float32' || scores.dims.length !== 1) {
    return refuse('OUTPUT_INVALID', 'scores have another type or shape');
  }
  const raw = { boxes: boxes.data as Float32Array, scores: scores.data as Float32Array };
  return selectBoxes(raw, output);
}

/** Never larger than the image. */
function previewOf(picture: GreyPicture): GreyPicture {
  if (Math.max(picture.rows, picture.columns) <= PREVIEW_SIDE_MAX) return picture;
  const frame = { rows: PREVIEW_SIDE_MAX, columns: PREVIEW_SIDE_MAX };
  return resized(picture, sizeWithin(picture, frame));
}

/** [images, h, w]: each in the top-left corner of its own black frame. */
function stacked(previews: readonly GreyPicture[], [h, w]: readonly [number, number]): Uint8Array {
  const data = new Uint8Array(previews.length * h * w);
  for (const [n, preview] of previews.entries()) {
    placePicture(preview, { data, columns: w, top: n * h, left: 0 });
  }
  return data;
}
