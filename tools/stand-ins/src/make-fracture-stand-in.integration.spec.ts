/**
 * Goal: the committed stand-in is what its script writes, byte for byte.
 * Method: the script as a process, into an empty folder.
 */
import { afterAll, describe, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { temporaryFolder } from '@aifi/shared-testing';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const folder = temporaryFolder('stand-in');
afterAll(() => folder.remove());

describe('make-fracture-stand-in', () => {
  it('writes the committed artefact', () => {
    execFileSync(process.execPath, [here('../make-fracture-stand-in.mjs'), folder.path]);
    const written = readFileSync(join(folder.path, 'model.onnx'));
    const committed = here('../../../deploy/demo/models/fracture-stand-in/model.onnx');
    expect(written.equals(readFileSync(committed))).toBe(true);
  });
});
