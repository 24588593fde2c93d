/**
 * Goal: a body is stored object by object when it fits its header, and refused when it does not.
 * Method: bodies built by hand, cut into pieces of awkward sizes.
 */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { LIMITS, sha256Hex } from '@aifi/shared-kernel';
import { temporaryFolder, type TemporaryFolder } from '@aifi/shared-testing';
import { receiveInferRequest } from './infer-request.js';
import { bodyOf } from './request-body.js';

const DIGEST = 'a'.repeat(64);
const objects = [Buffer.from('first'), Buffer.alloc(0), Buffer.alloc(70_000, 7)];
let folder: TemporaryFolder;
beforeEach(() => {
  folder = temporaryFolder('request');
});
afterEach(() => folder.remove());

async function* cut(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}
const receive = (bytes: Uint8Array, headerLength: number, size = 1000) =>
  receiveInferRequest(cut(bytes, size), headerLength, folder.path);

describe(receiveInferRequest.name, () => {
  it.each([3, 1000, 1_000_000])('stores and hashes the objects (pieces of %d)', async (size) => {
    const { bytes, headerLength } = bodyOf('a-1-1', DIGEST, objects);
    const request = await receive(bytes, headerLength, size);
    expect(request).toMatchObject({ id: 'a-1-1', modelDigest: DIGEST });
    expect(request.objectPaths.map((path) => readFileSync(path))).toEqual(objects);
    expect(request.objectDigests).toEqual(objects.map((object) => sha256Hex(object)));
  });
  const { bytes, headerLength, json } = bodyOf('a-1-1', DIGEST, objects);
  const withHeader = (change: (header: typeof json) => unknown) => {
    const header = Buffer.from(JSON.stringify(change(structuredClone(json))));
    return [Buffer.concat([header, bytes.subarray(headerLength)]), header.length] as const;
  };
  const withInput = (part: object) =>
    withHeader((header) => ({ ...header, inputs: [{ ...header.inputs[0], ...part }] }));
  it.each([
    ['a body that is cut short', bytes.subarray(0, bytes.length - 1), headerLength],
    ['a body that ends between objects', bytes.subarray(0, headerLength + 9), headerLength],
    ['bytes after the last object', Buffer.concat([bytes, Buffer.of(0)]), headerLength],
    ['a header that is no JSON', bytes, headerLength - 1],
    ['no header length', bytes, NaN],
    ['more objects than there are', ...withInput({ shape: [4] })],
    ['fewer objects than there are', ...withInput({ shape: [2] })],
    ['too many objects', ...withInput({ shape: [LIMITS.instancesPerStudyMax + 1] })],
    ['another input', ...withInput({ name: 'image' })],
    ['more bytes than are taken', ...withInput({ parameters: { binary_data_size: 2 ** 40 } })],
    ['an id that could be a path', ...withHeader((header) => ({ ...header, id: '../x' }))],
    ['no model digest', ...withHeader((header) => ({ ...header, parameters: {} }))],
  ])('throws INVALID_ARGUMENT for %s', async (_, body, length) => {
    await expect(receive(body, length)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });
  it('throws LIMIT_EXCEEDED for a long header', async () => {
    await expect(receive(bytes, 2 ** 20)).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' });
  });
});
