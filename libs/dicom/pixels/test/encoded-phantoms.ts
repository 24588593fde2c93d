/**
 * Encoded phantoms: images of our own making, compressed by encoders that none of us wrote.
 * Decides that the proofs of decoding do not hang on data that may be absent: every family of
 * transfer syntaxes that DCMTK or GDCM can write is there, in grey and colour, signed and unsigned.
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { nativeFile, type Phantom } from './phantom-image.js';

const run = promisify(execFile);
const [ROWS, COLUMNS, FRAMES] = [48, 64, 3];

interface Kind extends Phantom {
  readonly name: string;
  /** Commands that take this kind; the file and the output follow. */
  readonly encoders: readonly (readonly string[])[];
}
const LOSSLESS = [
  ['dcmcjpeg', '+el'],
  ['dcmcjpeg', '+e1'],
  ['dcmcrle'],
  ['dcmcjpls'],
  ['gdcmconv', '--j2k'],
  ['dcmconv', '+tb'],
  ['dcmconv', '+td'],
];
const size = { rows: ROWS, columns: COLUMNS, frames: FRAMES };
const KINDS: readonly Kind[] = [
  {
    ...{ ...size, name: 'grey8', bits: 8 },
    encoders: [...LOSSLESS, ['dcmcjpeg', '+eb'], ['dcmcjpls', '+en', '+md', '3']],
  },
  {
    ...{ ...size, name: 'grey12', bits: 16, stored: 12 },
    encoders: [...LOSSLESS, ['dcmcjpeg', '+ee']],
  },
  {
    ...{ ...size, name: 'signed16', bits: 16, signed: true },
    // Secondary captures are not signed, and GDCM keeps to that.
    change: (dataset) => dataset.setString('SOPClassUID', '1.2.840.10008.5.1.4.1.1.4.1'),
    encoders: LOSSLESS,
  },
  {
    ...{ ...size, name: 'rgb', bits: 8, samples: 3, photometric: 'RGB' },
    // Ultrasound: GDCM writes no YBR_FULL of more frames for other classes here.
    change: (dataset) => dataset.setString('SOPClassUID', '1.2.840.10008.5.1.4.1.1.3.1'),
    encoders: [
      ...LOSSLESS,
      ['dcmcjpeg', '+eb'],
      ['dcmcjpeg', '+eb', '+s2'],
      ['dcmcjpeg', '+eb', '+cr'],
    ],
  },
];

/** Paths of the phantoms and of their compressed forms, in `folder`. */
export async function encodedPhantoms(folder: string): Promise<string[]> {
  const paths: string[] = [];
  for (const kind of KINDS) {
    const native = nativeFile(join(folder, `${kind.name}.dcm`), kind, pixelsOf(kind));
    paths.push(native);
    for (const [index, [command, ...options]] of kind.encoders.entries()) {
      const out = join(folder, `${kind.name}-${index}-${command}.dcm`);
      await run(command!, [...options, native, out]);
      paths.push(out);
    }
  }
  return paths;
}

/** Waves with sharp bars across, different in every frame and sample. */
function pixelsOf({ bits = 8, stored = bits, samples = 1 }: Kind): number[] {
  const high = 2 ** stored - 1;
  const pixels: number[] = [];
  for (let frame = 0; frame < FRAMES; frame += 1) {
    for (let y = 0; y < ROWS; y += 1) {
      for (let x = 0; x < COLUMNS; x += 1) {
        for (let sample = 0; sample < samples; sample += 1) {
          const wave = (Math.sin((x + frame * 5) / (3 + sample)) * Math.cos(y / 7) + 1) / 2;
          const isBar = (x + y * 2 + sample * 11) % 23 === 0;
          pixels.push(Math.round(isBar ? high : wave * high));
        }
      }
    }
  }
  return pixels;
}
