/**
 * Goal: a file reaches the interface byte for byte, or is known to be too long before it is sent.
 * Method: blobs of this runtime, unpacked again.
 */
import { describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { packTableFile } from './table-file.js';

describe(packTableFile.name, () => {
  it('keeps every byte', async () => {
    const bytes = randomBytes(20_000);
    const text = await packTableFile(new Blob([bytes]));
    expect(gunzipSync(Buffer.from(text!, 'base64'))).toEqual(bytes);
  });
  it('says when a file is too long, compressed or not', async () => {
    expect(await packTableFile(new Blob([randomBytes(200_000)]))).toBeUndefined();
    expect(await packTableFile(new Blob([Buffer.alloc(4 * 1024 * 1024 + 1)]))).toBeUndefined();
    expect(await packTableFile(new Blob([Buffer.alloc(4 * 1024 * 1024)]))).toBeDefined();
  });
});
