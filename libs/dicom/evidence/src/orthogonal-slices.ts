/**
 * Orthogonal slices: three views through the labelled tissue of a conformed volume.
 * Decides which slices are shown (through the centroid of the labels) and how they are oriented:
 * radiological convention, the patient's right on the left of axial and coronal, anterior on the
 * left of sagittal. Frame: [k, j, i] uint8, 256³ at 1 mm, orientation LIA: i grows to the
 * patient's Left, j to Inferior, k to Anterior. Source: PS3.3 C.7.6.1.1.1 (orientation letters).
 */
import { AifiError } from '@aifi/shared-kernel';
import type { Colour } from './rgb-canvas.js';

/** Voxels along each axis of the conformed grid. */
export const GRID = 256;
/** Share of the class colour in a labelled pixel: the anatomy stays readable below it. */
const COLOUR_SHARE = 0.45;
/** Share of brightest voxels that may be white: one bright vessel must not darken the whole. */
const SATURATED_SHARE = 0.002;

export interface ConformedVolume {
  /** [k, j, i] uint8, LIA, 256³. */
  readonly image: Uint8Array;
  /** [k, j, i] uint8 class values on the same grid. */
  readonly labels: Uint8Array;
}
export interface OrthogonalSlice {
  readonly name: 'axial' | 'coronal' | 'sagittal';
  /** Letters at the edges: right R, left L, anterior A, posterior P, head H, foot F. */
  readonly edges: {
    readonly left: string;
    readonly right: string;
    readonly top: string;
    readonly bottom: string;
  };
  /** [row, column, RGB] uint8, 256 x 256, 1 mm. */
  readonly pixels: Uint8Array;
}

type Voxel = readonly [k: number, j: number, i: number];

/** The three slices; classes without a colour show the image alone. */
export function orthogonalSlices(
  volume: ConformedVolume,
  colours: ReadonlyMap<number, Colour>,
): readonly OrthogonalSlice[] {
  const size = GRID ** 3;
  if (volume.image.length !== size || volume.labels.length !== size) {
    throw new AifiError('INVALID_ARGUMENT', 'conformed volume does not have its size');
  }
  const [k, j, i] = labelCentroid(volume.labels, colours);
  const white = whiteLevel(volume.image);
  const view = (voxelAt: (row: number, column: number) => Voxel): Uint8Array =>
    paint(volume, voxelAt, { colours, white });
  const last = GRID - 1;
  return [
    {
      name: 'axial',
      edges: { left: 'R', right: 'L', top: 'A', bottom: 'P' },
      pixels: view((row, column) => [last - row, j, column]),
    },
    {
      name: 'coronal',
      edges: { left: 'R', right: 'L', top: 'H', bottom: 'F' },
      pixels: view((row, column) => [k, row, column]),
    },
    {
      name: 'sagittal',
      edges: { left: 'A', right: 'P', top: 'H', bottom: 'F' },
      pixels: view((row, column) => [last - column, row, i]),
    },
  ];
}

/** Mean position of the coloured classes, or the centre of the grid when there is none. */
function labelCentroid(labels: Uint8Array, colours: ReadonlyMap<number, Colour>): Voxel {
  const coloured = new Uint8Array(256);
  for (const value of colours.keys()) coloured[value] = 1;
  let [count, sumK, sumJ, sumI] = [0, 0, 0, 0];
  for (let at = 0; at < labels.length; at += 1) {
    if (coloured[labels[at]!] === 0) continue;
    count += 1;
    sumK += at >>> 16;
    sumJ += (at >>> 8) & 255;
    sumI += at & 255;
  }
  if (count === 0) return [GRID / 2, GRID / 2, GRID / 2];
  return [Math.round(sumK / count), Math.round(sumJ / count), Math.round(sumI / count)];
}

/** Grey value shown as white: the top share of the voxels that are not air. */
function whiteLevel(image: Uint8Array): number {
  const histogram = new Uint32Array(256);
  for (let at = 0; at < image.length; at += 1) histogram[image[at]!]! += 1;
  const shown = image.length - histogram[0]!;
  let above = 0;
  for (let level = 255; level > 0; level -= 1) {
    above += histogram[level]!;
    if (above > shown * SATURATED_SHARE) return level;
  }
  return 255;
}

function paint(
  { image, labels }: ConformedVolume,
  voxelAt: (row: number, column: number) => Voxel,
  { colours, white }: { readonly colours: ReadonlyMap<number, Colour>; readonly white: number },
): Uint8Array {
  const pixels = new Uint8Array(GRID * GRID * 3);
  for (let row = 0; row < GRID; row += 1) {
    for (let column = 0; column < GRID; column += 1) {
      const [k, j, i] = voxelAt(row, column);
      const at = (k * GRID + j) * GRID + i;
      const grey = Math.min(255, (image[at]! * 255) / white);
      const colour = colours.get(labels[at]!);
      for (let channel = 0; channel < 3; channel += 1) {
        const tint = colour?.[channel];
        const mixed = tint === undefined ? grey : grey + (tint - grey) * COLOUR_SHARE;
        pixels[(row * GRID + column) * 3 + channel] = Math.round(mixed);
      }
    }
  }
  return pixels;
}
