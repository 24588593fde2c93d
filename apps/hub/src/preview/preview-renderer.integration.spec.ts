/**
 * Goal: previews cost a bounded part of the machine, and one that fails takes no other with it.
 * Method: real threads: the program of the hub, and small ones that hang or die.
 */
import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DicomDataset, encodePart10 } from '@aifi/dicom-core';
import { sha256Hex, systemClock } from '@aifi/shared-kernel';
import { FakeClock, temporaryFolder } from '@aifi/shared-testing';
import { PreviewRenderer } from './preview-renderer.js';

const folder = temporaryFolder('renderer');
const open: PreviewRenderer[] = [];
afterEach(async () => {
  for (const renderer of open.splice(0)) await renderer.close();
});
afterAll(() => folder.remove());
function renderer(...options: ConstructorParameters<typeof PreviewRenderer>): PreviewRenderer {
  const made = new PreviewRenderer(...options);
  open.push(made);
  return made;
}
const program = (name: string, text: string): string => {
  const path = join(folder.path, `${name}.mjs`);
  writeFileSync(path, standIn(text));
  return path;
};
const HANG = "if (path === 'hang') return;";
const DIE = `
  if (path === 'exit') process.exit(1);
  if (path === 'throw') throw new Error('Doe^Jane');
  if (path === 'heap') for (const all = []; ; ) all.push(Array(1e6).fill({}));`;
/** Answers with the number of its thread; `what` stands in the order's path. */
const standIn = (what: string): string => `
import { parentPort, threadId } from 'node:worker_threads';
parentPort.on('message', ({ path }) => {
  ${what}
  parentPort.postMessage({ png: Buffer.from(String(threadId)) });
});`;
const codeOf = (error: unknown): string => (error as { code: string }).code;
const ORDER = { path: '/nowhere', sha256: sha256Hex('nothing') };
const PIXELS = new Uint8Array(64 * 64);
const picture = encodePart10(
  new DicomDataset()
    .setString('SOPClassUID', '1.2.840.10008.5.1.4.1.1.4')
    .setString('SOPInstanceUID', '2.25.1')
    .setString('PhotometricInterpretation', 'MONOCHROME2')
    .setNumbers('Rows', [64])
    .setNumbers('Columns', [64])
    .setNumbers('BitsAllocated', [8])
    .setBytes('PixelData', PIXELS, 'OB'),
);

describe(PreviewRenderer.name, () => {
  it('gives a PNG, and says in fixed words why it cannot', async () => {
    const sut = renderer(systemClock);
    const path = join(folder.path, 'picture');
    writeFileSync(path, picture);
    const png = await sut.render({ path, sha256: sha256Hex(picture) });
    expect(png.subarray(1, 4).toString()).toBe('PNG');
    await expect(sut.render({ path, sha256: sha256Hex('other') })).rejects.toMatchObject({
      ...{ code: 'DIGEST_MISMATCH' },
    });
    await expect(sut.render(ORDER)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  }, 60_000);

  it('runs two at a time and refuses who comes when too many wait', async () => {
    const sut = renderer(systemClock, program('quick', ''));
    const asked = Array.from({ length: 30 }, () => sut.render(ORDER).then(String, codeOf));
    const answers = await Promise.all(asked);
    expect(answers.filter((answer) => answer === 'LIMIT_EXCEEDED')).toHaveLength(12);
    const threads = answers.filter((answer) => /^\d+$/.test(answer));
    expect(threads).toHaveLength(18);
    expect(new Set(threads).size).toBe(2);
  }, 60_000);

  it('ends a thread that is too slow, and the next preview has a new one', async () => {
    const clock = new FakeClock();
    const sut = renderer(clock, program('hang', HANG));
    const late = sut.render({ ...ORDER, path: 'hang' }).then(String, codeOf);
    await expect(sut.render(ORDER)).resolves.toBeInstanceOf(Buffer);
    clock.advance(20_000);
    await expect(late).resolves.toBe('DEADLINE_EXCEEDED');
    await expect(sut.render(ORDER)).resolves.toBeInstanceOf(Buffer);
  }, 60_000);

  it('survives a thread that dies', async () => {
    const sut = renderer(systemClock, program('die', DIE));
    await expect(sut.render({ ...ORDER, path: 'exit' })).rejects.toMatchObject({
      code: 'INTERNAL',
    });
    await expect(sut.render({ ...ORDER, path: 'throw' })).rejects.toMatchObject({
      code: 'INTERNAL',
    });
    await expect(sut.render({ ...ORDER, path: 'heap' })).rejects.toMatchObject({
      code: 'INTERNAL',
    });
    await expect(sut.render(ORDER)).resolves.toBeInstanceOf(Buffer);
  }, 60_000);

  it('lets nobody wait for a hub that stops', async () => {
    const sut = renderer(systemClock, program('stop', HANG));
    const asked = Array.from({ length: 4 }, () =>
      sut.render({ ...ORDER, path: 'hang' }).then(String, codeOf),
    );
    await sut.close();
    await expect(Promise.all(asked)).resolves.toEqual(Array(4).fill('PEER_UNAVAILABLE'));
    await expect(sut.render(ORDER)).rejects.toMatchObject({ code: 'PEER_UNAVAILABLE' });
  }, 60_000);
});
