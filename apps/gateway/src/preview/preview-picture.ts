/**
 * Preview picture: one frame of a received file as a PNG for a screen.
 * Decides its size: a thing to look at whether somebody's name stands in it, not for diagnosis.
 * Invariant: nothing of the header leaves with the picture.
 * Source: pseudonymisation specification 1.5 (server-rendered preview).
 */
import { previewOf, type PreviewView } from '@aifi/dicom-pixels';
import { AifiError } from '@aifi/shared-kernel';

/** Small print of a scanner is still read. @unit px */
const COLUMNS_MAX = 1_600;

export interface PreviewOrder {
  readonly path: string;
  /** Counts from 0. */
  readonly frame: number;
  readonly view: PreviewView;
}

/** INVALID_ARGUMENT for an image of a kind that is not read here. */
export async function renderPreview({ path, frame, view }: PreviewOrder): Promise<Uint8Array> {
  const preview = await previewOf(path, frame, { columnsMax: COLUMNS_MAX, view });
  if (preview.ok) return preview.value;
  throw new AifiError('INVALID_ARGUMENT', 'these images cannot be shown here');
}
