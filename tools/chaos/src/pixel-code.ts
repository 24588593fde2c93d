/**
 * Pixel code: a picture that says which image it is, in a way that survives a model.
 * Decides the code: eight striped patches in eight zones of the picture, the place of each patch in
 * its zone being five bits. The detector of the fracture stand-in draws a box around each patch, so
 * that its result holds what it read from the pixels, and nothing else could have told it.
 * Shapes: [y, x] uint8, 512 × 512; boxes in pixels of that picture, (0, 0) its top-left corner.
 * Source: reliability specification T-MIS-1 (pixel oracle); tools/stand-ins (cells of 16 pixels).
 */
import { crc32 } from 'node:zlib';

export const PICTURE_SIDE = 512;
/** Distance of the cells that the detector chooses from. @unit pixels */
const CELL = 16;
/** Zones of cells: four across, two down, from this cell on. */
const [ZONES_ACROSS, ZONES_DOWN, FIRST_CELL] = [4, 2, 4];
const [ZONE_COLUMNS, ZONE_ROWS] = [6, 12];
/** Cells of a zone in which its patch may lie; the others keep the patches of two zones apart. */
const [PLACE_COLUMNS, PLACE_ROWS] = [4, 8];
const BITS_PER_ZONE = 5;
const ZONES = ZONES_ACROSS * ZONES_DOWN;
/** Grey of the ground and of the stripes: neither air nor the unexposed border for the detector. */
const [GROUND, DARK, BRIGHT] = [102, 76, 179];
/** @unit pixels */
const STRIPE = 4;

/** What one image is: its pixels say so. */
export interface PixelIdentity {
  /** 0 to 15. */
  readonly site: number;
  /** 0 to 65,535; two sites may use the same. */
  readonly study: number;
  /** Which image of the study, in the order of its revisions: 0 to 15. */
  readonly image: number;
}
/** x1, y1, x2, y2. */
export type Box = readonly [number, number, number, number];

/** 4 bits site, 16 bits study, 4 bits image, 16 bits checksum: 40 bits, five in each zone. */
function wordOf({ site, study, image }: PixelIdentity): bigint {
  const value = (BigInt(site) << 20n) | (BigInt(study) << 4n) | BigInt(image);
  return (value << 16n) | checksum(value);
}
function checksum(value: bigint): bigint {
  return BigInt(crc32(Buffer.from(value.toString(16))) & 0xffff);
}

/** The picture of an image. */
export function codedPicture(identity: PixelIdentity): Uint8Array {
  const data = new Uint8Array(PICTURE_SIDE ** 2).fill(GROUND);
  // The full range of greys, where no patch is: what shows the picture then changes nothing.
  [data[0], data[1]] = [0, 255];
  const word = wordOf(identity);
  for (let zone = 0; zone < ZONES; zone += 1) {
    const place = Number((word >> BigInt(zone * BITS_PER_ZONE)) & 31n);
    const column = originOf(zone).column + (place % PLACE_COLUMNS);
    const row = originOf(zone).row + Math.floor(place / PLACE_COLUMNS);
    for (let y = row * CELL; y < (row + 1) * CELL; y += 1) {
      for (let x = column * CELL; x < (column + 1) * CELL; x += 1) {
        data[y * PICTURE_SIDE + x] = Math.floor(x / STRIPE) % 2 === 0 ? DARK : BRIGHT;
      }
    }
  }
  return data;
}

/** What boxes say; undefined when they are not those of one coded picture. */
export function readBoxes(boxes: readonly Box[]): PixelIdentity | undefined {
  const places = new Map<number, number>();
  for (const [x1, y1, x2, y2] of boxes) {
    const found = placeAt((x1 + x2) / 2, (y1 + y2) / 2);
    if (!found || places.has(found.zone)) return undefined;
    places.set(found.zone, found.place);
  }
  if (places.size !== ZONES) return undefined;
  let word = 0n;
  for (const [zone, place] of places) word |= BigInt(place) << BigInt(zone * BITS_PER_ZONE);
  const value = word >> 16n;
  if (checksum(value) !== (word & 0xffffn)) return undefined;
  return {
    site: Number(value >> 20n),
    study: Number((value >> 4n) & 0xffffn),
    image: Number(value & 15n),
  };
}

function originOf(zone: number): { readonly column: number; readonly row: number } {
  return {
    column: FIRST_CELL + (zone % ZONES_ACROSS) * ZONE_COLUMNS + 1,
    row: FIRST_CELL + Math.floor(zone / ZONES_ACROSS) * ZONE_ROWS + 2,
  };
}

function placeAt(x: number, y: number): { zone: number; place: number } | undefined {
  const [column, row] = [Math.floor(x / CELL), Math.floor(y / CELL)];
  const across = Math.floor((column - FIRST_CELL) / ZONE_COLUMNS);
  const down = Math.floor((row - FIRST_CELL) / ZONE_ROWS);
  if (across < 0 || across >= ZONES_ACROSS || down < 0 || down >= ZONES_DOWN) return undefined;
  const zone = down * ZONES_ACROSS + across;
  const [inColumn, inRow] = [column - originOf(zone).column, row - originOf(zone).row];
  const isPlace = inColumn >= 0 && inColumn < PLACE_COLUMNS && inRow >= 0 && inRow < PLACE_ROWS;
  return isPlace ? { zone, place: inRow * PLACE_COLUMNS + inColumn } : undefined;
}
