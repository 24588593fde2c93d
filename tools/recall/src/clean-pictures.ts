/**
 * Clean pictures: real images without text, for measuring.
 * Decides which files of a folder count: one frame, grey, of a class that has a tier of its own,
 * and nothing that declares or suggests text. The rest of the folder is passed over.
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { readPart10Header } from '@aifi/dicom-core';
import { openFrames } from '@aifi/dicom-pixels';
import {
  ownVerdictOf,
  tierOf,
  windowsOf,
  type MeasuredPicture,
} from '@aifi/dicom-pixel-gate/recall';

/** Smaller ones hold no line of text. @unit pixels */
const SIDE_MIN = 128;

/** In the order of their paths. */
export async function cleanPicturesIn(folder: string): Promise<MeasuredPicture[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => {
      return join(parentPath, name);
    });
  const pictures: MeasuredPicture[] = [];
  for (const path of paths.sort()) {
    const picture = await pictureIn(path).catch(() => undefined);
    if (picture) pictures.push(picture);
  }
  return pictures;
}

async function pictureIn(path: string): Promise<MeasuredPicture | undefined> {
  const { dataset: header } = await readPart10Header(path);
  // Every manufacturer is known here: the tier is what is measured.
  const tier = tierOf(header, ['']);
  if (tier === 'full' || ownVerdictOf(header)) return undefined;
  const opened = await openFrames(path);
  if (!opened.ok) return undefined;
  const { rows, columns, frames, samplesPerPixel, frame, close } = opened.value;
  try {
    const isUsable =
      rows >= SIDE_MIN && columns >= SIDE_MIN && frames === 1 && samplesPerPixel === 1;
    if (!isUsable) return undefined;
    const values = await frame(0);
    const [window] = windowsOf(header, { rows, columns, values });
    if (!window) return undefined;
    const canvas = { rows, columns, values: Float32Array.from(values), ...window };
    return { canvas, tier, modality: header.string('Modality') ?? '' };
  } finally {
    await close();
  }
}
