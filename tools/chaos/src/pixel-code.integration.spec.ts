/**
 * Goal: what the detector draws says which picture it saw, for every picture, and boxes of two
 * pictures or of another one never say anything.
 * Method: the committed model of the fracture stand-in, run on coded pictures in a process of its
 * own (its library wants the typed arrays of a whole process).
 */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { MODELS_FOLDER } from '@aifi/demo';
import {
  codedPicture,
  PICTURE_SIDE,
  readBoxes,
  type Box,
  type PixelIdentity,
} from './pixel-code.js';

/** Pictures come on standard input; the boxes at or above the operating point go out. */
const RUN = `
  import { readFileSync } from 'node:fs';
  import { InferenceSession, Tensor } from 'onnxruntime-node';
  const session = await InferenceSession.create(process.argv[1]);
  const side = Number(process.argv[2]);
  const pictures = readFileSync(0);
  const told = [];
  for (let at = 0; at < pictures.length; at += side ** 2) {
    const grey = Float32Array.from(pictures.subarray(at, at + side ** 2), (value) => value / 255);
    const input = new Tensor('float32', grey, [1, 1, side, side]);
    const { boxes, scores } = await session.run({ input });
    const boxAt = (n) => [...boxes.data.slice(n * 4, n * 4 + 4)];
    const found = [...scores.data].flatMap((score, n) => (score >= 0.5 ? [boxAt(n)] : []));
    told.push(found);
  }
  console.log(JSON.stringify(told));
`;

function boxesOf(identities: readonly PixelIdentity[]): Box[][] {
  const model = join(MODELS_FOLDER, 'fracture-stand-in', 'model.onnx');
  const words = ['--input-type=module', '-e', RUN, model, String(PICTURE_SIDE)];
  const input = Buffer.concat(identities.map((identity) => codedPicture(identity)));
  const out = execFileSync(process.execPath, words, { input, encoding: 'utf8' });
  return JSON.parse(out) as Box[][];
}

describe('pixel code', () => {
  it('is read back from the boxes of every picture', () => {
    const identities = [
      { site: 0, study: 0, image: 0 },
      { site: 4, study: 1, image: 1 },
      { site: 15, study: 65_535, image: 15 },
      ...Array.from({ length: 40 }, (_, n) => ({ site: n % 5, study: n * 1_637, image: n % 3 })),
    ];
    expect(boxesOf(identities).map((boxes) => readBoxes(boxes))).toEqual(identities);
  });
  it('says nothing when boxes of two pictures are mixed', () => {
    const [first, second] = [
      { site: 1, study: 7, image: 0 },
      { site: 2, study: 7, image: 0 },
    ];
    const [one, other] = boxesOf([first, second]) as [Box[], Box[]];
    const swaps = one.flatMap((_, at) =>
      other.map((box) => readBoxes([...one.slice(0, at), box, ...one.slice(at + 1)])),
    );
    const told = swaps.filter((read) => read !== undefined);
    // Where both pictures have the same patch, a swap is none.
    for (const read of told) expect(read).toEqual(first);
    expect(told.length).toBeLessThan(swaps.length / 4);
  });
  it('says nothing of too few, too many or doubled boxes', () => {
    const [boxes] = boxesOf([{ site: 3, study: 12, image: 2 }]) as [Box[]];
    expect(boxes).toHaveLength(8);
    expect(readBoxes(boxes.slice(1))).toBeUndefined();
    expect(readBoxes([...boxes, boxes[0]!])).toBeUndefined();
    expect(readBoxes([])).toBeUndefined();
  });
});
