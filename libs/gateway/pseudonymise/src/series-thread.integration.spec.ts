/**
 * Suite: the thread gives what the same work gives here, asks what it cannot know, tells faults as
 * they are and is gone after its end. Method: the compiled thread with its real pixel gate, files
 * in a temporary folder.
 */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encodePart10, type DicomDataset } from '@aifi/dicom-core';
import { createPixelGate } from '@aifi/dicom-pixel-gate';
import { sha256Hex, systemClock, type Sha256 } from '@aifi/shared-kernel';
import {
  FakeClock,
  fakeSiteKeys,
  temporaryFolder,
  type TemporaryFolder,
} from '@aifi/shared-testing';
import { anInstance } from '../test/selected-jobs.js';
import { SeriesThread } from './series-thread.js';
import { seriesWork, type SeriesClient, type SeriesRequest } from './series-work.js';

let folder: TemporaryFolder;
let sut: SeriesThread;
let clock: FakeClock;
beforeEach(() => {
  folder = temporaryFolder('series-thread');
  clock = new FakeClock();
  sut = new SeriesThread({ manufacturers: [] }, clock);
});
afterEach(async () => {
  await sut.close();
  folder.remove();
});

let count = 0;
function received(instance: DicomDataset): { path: string; sha256: Sha256 } {
  const bytes = encodePart10(instance);
  const path = join(folder.path, `${(count += 1)}.dcm`);
  writeFileSync(path, bytes);
  return { path, sha256: sha256Hex(bytes) };
}
function requestOf(...instances: readonly DicomDataset[]): SeriesRequest {
  const out = join(folder.path, `out-${(count += 1)}`);
  mkdirSync(out);
  const { uid, pid, date } = fakeSiteKeys();
  return {
    ...{ folder: out, sources: instances.map(received), siblings: [], released: new Set() },
    context: { siteCode: 'SITE-A', keys: { uid, pid, date } },
  };
}
const silent: SeriesClient = { areOnePatient: () => false, onGateFault: () => undefined };
/** With what the real gate asks of an image. */
const anImage = (n: number): DicomDataset =>
  anInstance(n)
    .setStrings('ImageType', ['ORIGINAL', 'PRIMARY', 'M'])
    .setString('Manufacturer', 'SIEMENS')
    .setString('PhotometricInterpretation', 'MONOCHROME2')
    .setNumbers('SamplesPerPixel', [1])
    .setNumbers('BitsStored', [16])
    .setNumbers('HighBit', [15])
    .setNumbers('PixelRepresentation', [0])
    .setNumbers('Rows', [64])
    .setNumbers('Columns', [64])
    .setBytes('PixelData', new Uint8Array(2 * 64 * 64), 'OW');
const named = (n: number, id: string): DicomDataset => anImage(n).setString('PatientID', id);

describe(SeriesThread.name, () => {
  it('gives the images, identities and UIDs that the same work gives in this thread', async () => {
    const request = requestOf(anImage(1), anImage(2).setString('BodyPartExamined', 'HEAD'));
    const gate = createPixelGate({ clock: systemClock });
    const here = await seriesWork(gate)(request, silent);
    await gate.close();
    expect(here).toMatchObject({ value: [{ kind: 'written' }, { kind: 'refused' }] });
    expect(await sut.work(request, silent)).toEqual(here);
  });

  it('asks whether two numbers are of one patient, and takes the answer', async () => {
    const asked: string[][] = [];
    const answers = (isOne: boolean): SeriesClient => ({
      ...silent,
      areOnePatient: (a, b) => {
        asked.push([a.fields.PatientID, b.fields.PatientID]);
        return isOne;
      },
    });
    const request = requestOf(named(1, '0012345'), named(2, '0099999'));
    expect(await sut.work(request, answers(false))).toMatchObject({
      value: [
        { kind: 'written' },
        { kind: 'refused', refusal: { code: 'QUARANTINED_IDENTIFIER' } },
      ],
    });
    expect(await sut.work(request, answers(true))).toMatchObject({
      value: [{ kind: 'written' }, { kind: 'written' }],
    });
    expect(asked).toEqual(Array(2).fill(['0012345', '0099999']));
  });

  it('tells a fault of the disk by its code, and does the next job', async () => {
    const request = requestOf(anImage(1));
    const gone = [{ ...request.sources[0]!, path: join(folder.path, 'gone.dcm') }];
    const lost = sut.work({ ...request, sources: gone }, silent);
    await expect(lost).rejects.toMatchObject({ name: 'AifiError', code: 'INTERNAL' });
    expect(await sut.work(request, silent)).toMatchObject({ value: [{ kind: 'written' }] });
  });

  it('fails the job whose question cannot be answered', async () => {
    const failing: SeriesClient = {
      ...silent,
      areOnePatient: () => {
        throw new Error('the database is gone');
      },
    };
    const request = requestOf(named(1, '0012345'), named(2, '0099999'));
    await expect(sut.work(request, failing)).rejects.toMatchObject({ code: 'INTERNAL' });
  });

  it('ends a job that does not end, and does the next one in a new thread', async () => {
    const asked = new AbortController();
    const never: SeriesClient = {
      ...silent,
      areOnePatient: () => {
        asked.abort();
        return new Promise<boolean>(() => undefined);
      },
    };
    const request = requestOf(named(1, '0012345'), named(2, '0099999'));
    const stuck = sut.work(request, never);
    await once(asked.signal, 'abort');
    clock.advance(60 * 60_000);
    await expect(stuck).rejects.toMatchObject({ code: 'INTERNAL' });
    const next = await sut.work(requestOf(anImage(3)), silent);
    expect(next).toMatchObject({ value: [{ kind: 'written' }] });
  });

  it('takes one job at a time, and none after its end', async () => {
    const request = requestOf(anImage(1));
    const first = sut.work(request, silent);
    await expect(sut.work(request, silent)).rejects.toMatchObject({ code: 'STATE_CONFLICT' });
    await first;
    await sut.close();
    await expect(sut.work(request, silent)).rejects.toMatchObject({ code: 'STATE_CONFLICT' });
  });
});
