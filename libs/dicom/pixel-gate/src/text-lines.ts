/**
 * Text lines: letter-like pieces of a plane that stand in a row.
 * Decides what looks like text without reading it: at least four pieces of letter size and shape,
 * of one level, with hard edges, side by side on one line. The plane is cut at seven levels and on
 * both sides of each, so text that differs from what is behind it by a quarter of the range is
 * cut free by at least one of them. Its recall is measured (docs/conformance/burned-in-text.md).
 * Invariant: nothing is read, so nothing can leak. Frame: pixels of the plane.
 */
import type { PixelRegion } from '@aifi/dicom-pixels';
import { componentsOf, type Component, type Cut, type Plane } from './components.js';

export interface TextLineLimits {
  /** Values that are kept, both included; what touches inside one of them is one piece. */
  readonly cuts: readonly (readonly [from: number, to: number])[];
  /** Pieces that a line needs. */
  readonly lettersMin: number;
  /** Between a letter and what is beside it. */
  readonly contrastMin: number;
  /** Largest letter. @unit pixels */
  readonly heightMax: number;
}

const LEVELS = [32, 64, 96, 128, 160, 192, 224];
export const TEXT_LINES: TextLineLimits = {
  cuts: [
    ...LEVELS.map((level) => [level, 255] as const),
    ...LEVELS.map((level) => [0, level - 1] as const),
    ...LEVELS.slice(0, -1).map((level) => [level, level + 63] as const),
  ],
  lettersMin: 4,
  contrastMin: 48,
  heightMax: 96,
};
/**
 * All runs, and those of strokes only: the table or the collimator may cross a text. The second way
 * also cuts anatomy into strokes, so a line needs more letters there. @unit pixels
 */
const RUNS_MAX = [Infinity, 22];
const ALONE_MIN = 0.6;
/** x-height of capitals of ten pixels, less one for its blurred edge. @unit pixels */
const LETTER_HEIGHT_MIN = 6;
/** Widest letters (W, M, and two that touch). */
const LETTER_ASPECT_MAX = 2.6;

/** Sides at which the plane was cut out of a larger one: pieces there are parts of something. */
export interface Cropping {
  readonly left: boolean;
  readonly top: boolean;
  readonly right: boolean;
  readonly bottom: boolean;
}
const WHOLE: Cropping = { left: false, top: false, right: false, bottom: false };

function isCropped(piece: Component, { rows, columns }: Plane, at: Cropping): boolean {
  return (
    (at.left && piece.left === 0) ||
    (at.top && piece.top === 0) ||
    (at.right && piece.right === columns - 1) ||
    (at.bottom && piece.bottom === rows - 1)
  );
}

/** Boxes of the lines that were seen, of all cuts, overlapping ones united. */
export function textLinesOf(
  plane: Plane,
  limits: TextLineLimits = TEXT_LINES,
  croppedAt: Cropping = WHOLE,
): PixelRegion[] {
  const boxes: Box[] = [];
  for (const [from, to] of limits.cuts) {
    for (const runMax of RUNS_MAX) {
      const cut = { from, to, runMax };
      const pieces = componentsOf(plane, {
        ...{ ...cut, heightMin: LETTER_HEIGHT_MIN, heightMax: limits.heightMax },
        widthMax: limits.heightMax * LETTER_ASPECT_MAX,
      });
      const letters = pieces
        .filter((piece) => !isCropped(piece, plane, croppedAt) && isLetterLike(piece, limits))
        .map(letterOf);
      const lettersMin = runMax === Infinity ? limits.lettersMin : limits.lettersMin + 2;
      const lines = chainsOf(letters, lettersMin).filter((chain) => isLine(chain, limits));
      boxes.push(...lines.map(boxOf).filter((box, at) => isAlone(plane, cut, box, lines[at]!)));
    }
  }
  return united(boxes);
}

/** Most of what the cut leaves in the box is its letters; in noise, most is not. */
function isAlone(plane: Plane, cut: Pick<Cut, 'from' | 'to'>, box: Box, chain: Letter[]): boolean {
  let inked = 0;
  for (let y = box.top; y <= box.bottom; y += 1) {
    for (let x = box.left; x <= box.right; x += 1) {
      const value = plane.data[y * plane.columns + x]!;
      if (value >= cut.from && value <= cut.to) inked += 1;
    }
  }
  return chain.reduce((sum, letter) => sum + letter.area, 0) >= inked * ALONE_MIN;
}

interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}
interface Letter extends Component {
  readonly height: number;
  readonly width: number;
  readonly stroke: number;
}

function isLetterLike(piece: Component, { contrastMin }: TextLineLimits): boolean {
  const height = piece.bottom - piece.top + 1;
  const width = piece.right - piece.left + 1;
  if (width > height * LETTER_ASPECT_MAX || width * 12 < height) return false;
  if (Math.abs(piece.level - piece.outside) < contrastMin) return false;
  // Mean run of a letter is a stroke or two; a blob is one wide run per row.
  const fill = piece.area / (width * height);
  if (fill < 0.12) return false;
  const isBar = width * 2.2 < height;
  if (!isBar && fill > 0.86) return false;
  return true;
}

function letterOf(piece: Component): Letter {
  return {
    ...piece,
    height: piece.bottom - piece.top + 1,
    width: piece.right - piece.left + 1,
    stroke: piece.area / piece.runs,
  };
}

/** Rows of letters, each letter in one of them at most as a start. */
function chainsOf(unsorted: readonly Letter[], lettersMin: number): Letter[][] {
  if (unsorted.length < lettersMin) return [];
  const letters = [...unsorted].sort((a, b) => a.left - b.left);
  const next = letters.map((letter, at) => successorOf(letters, letter, at));
  const hasPredecessor = new Set(next);
  const chains: Letter[][] = [];
  letters.forEach((_, start) => {
    if (hasPredecessor.has(start)) return;
    const chain: Letter[] = [];
    for (let at: number | undefined = start; at !== undefined; at = next[at]) {
      chain.push(letters[at]!);
    }
    if (chain.length >= lettersMin) chains.push(chain);
  });
  return chains;
}

/** The nearest letter to the right that could be the next one of the same line. */
function successorOf(letters: readonly Letter[], a: Letter, at: number): number | undefined {
  for (let n = at + 1; n < letters.length; n += 1) {
    const b = letters[n]!;
    const size = Math.max(a.height, b.height);
    if (b.left - a.right > size * 2) return undefined;
    const isBeside =
      b.left - a.right > -0.35 * Math.min(a.width, b.width) - 1 &&
      Math.min(a.height, b.height) * 2.1 >= size &&
      Math.abs(a.level - b.level) <= 40 &&
      sharesLine(a, b);
    if (isBeside) return n;
  }
  return undefined;
}

function sharesLine(a: Letter, b: Letter): boolean {
  const slack = Math.max(1, Math.min(a.height, b.height) * 0.16);
  return Math.abs(a.bottom - b.bottom) <= slack || Math.abs(a.top - b.top) <= slack;
}

function isLine(chain: readonly Letter[], limits: TextLineLimits): boolean {
  // A short row must be perfect, a long one may have a flaw.
  const most = chain.length === limits.lettersMin ? 1 : 0.75;
  const height = median(chain.map((letter) => letter.height));
  const slack = Math.max(1, height * 0.12);
  // Most letters stand on one line; some hang below it (g, p) or end above it (quotes).
  const bottom = median(chain.map((letter) => letter.bottom));
  const standing = chain.filter((letter) => Math.abs(letter.bottom - bottom) <= slack).length;
  if (standing < Math.max(3, chain.length * (most - 0.2))) return false;
  // Edges of letters are hard: nearly all of the contrast within two pixels of the edge.
  const sharp = chain.filter(
    (letter) => letter.step >= 0.62 * Math.abs(letter.level - letter.outside),
  ).length;
  if (sharp < chain.length * most) return false;
  const strokes = chain.map((letter) => letter.stroke);
  const stroke = median(strokes);
  const even = strokes.filter((one) => one <= stroke * 2.2 && one >= stroke / 2.2).length;
  return even >= chain.length * most && stroke <= height * 0.7;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]!;
}

function boxOf(chain: readonly Letter[]): Box {
  return {
    left: Math.min(...chain.map(({ left }) => left)),
    top: Math.min(...chain.map(({ top }) => top)),
    right: Math.max(...chain.map(({ right }) => right)),
    bottom: Math.max(...chain.map(({ bottom }) => bottom)),
  };
}

function united(boxes: readonly Box[]): PixelRegion[] {
  const left: Box[] = [];
  for (const box of boxes) {
    let grown = box;
    for (let at = left.length - 1; at >= 0; at -= 1) {
      const other = left[at]!;
      const isApart =
        other.left > grown.right ||
        grown.left > other.right ||
        other.top > grown.bottom ||
        grown.top > other.bottom;
      if (isApart) continue;
      left.splice(at, 1);
      grown = {
        left: Math.min(grown.left, other.left),
        top: Math.min(grown.top, other.top),
        right: Math.max(grown.right, other.right),
        bottom: Math.max(grown.bottom, other.bottom),
      };
    }
    left.push(grown);
  }
  return left.map((box) => ({
    ...{ x: box.left, y: box.top },
    ...{ width: box.right - box.left + 1, height: box.bottom - box.top + 1 },
  }));
}
