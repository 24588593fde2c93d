/**
 * Goal: the sender of the memory proof sends whole, valid objects, and the marks that it is judged
 * by are those of the kernel. Method: DCMTK's storescp as receiver, a child that takes memory.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { decodePart10 } from '@aifi/dicom-core';
import { systemClock } from '@aifi/shared-kernel';
import { freePorts, hasPeers, temporaryFolder } from '@aifi/shared-testing';
import { manyInstances, MR_IMAGE_STORAGE, multiFrame } from './large-studies.js';
import { ProcessMemory } from './process-memory.js';
import { RawStoreSender } from './raw-store-sender.js';

const MIB = 1024 ** 2;

(hasPeers('storescp') ? describe : describe.skip)(RawStoreSender.name, () => {
  it('sends objects that another receiver stores byte by byte', async () => {
    const folder = temporaryFolder('raw-sender');
    const [port = 0] = await freePorts(1);
    const receiver = spawn('storescp', ['-od', folder.path, `${port}`], { stdio: 'ignore' });
    const open = () =>
      RawStoreSender.open({
        ...{ host: '127.0.0.1', port, calledAeTitle: 'STORESCP', callingAeTitle: 'BENCH' },
        sopClassUid: MR_IMAGE_STORAGE,
      });
    let sender: RawStoreSender | undefined;
    while (!sender) {
      sender = await open().catch(() => systemClock.sleep(50).then(() => undefined));
    }
    const objects = [...manyInstances('spec', 3).objects(), ...multiFrame('spec', 2).objects(38)];
    const expected = new Map<string, Buffer>();
    for (const object of objects) {
      const chunks = [...object.chunks()].map((chunk) => Buffer.from(chunk));
      expected.set(object.sopInstanceUid, Buffer.concat(chunks));
      expect(await sender.store(object)).toBe(0);
    }
    await sender.close();
    receiver.kill();
    await once(receiver, 'exit');
    const files = readdirSync(folder.path).map((name) => readFileSync(join(folder.path, name)));
    expect(files).toHaveLength(5);
    for (const file of files) {
      const { meta, datasetOffset } = decodePart10(file);
      expect(file.subarray(datasetOffset).equals(expected.get(meta.sopInstanceUid)!)).toBe(true);
    }
    folder.remove();
  });

  it('makes a multi-frame whose pixel data is as long as its attributes say', () => {
    const [large] = multiFrame('spec', 2).objects();
    const file = Buffer.concat([...large!.chunks()].map((chunk) => Buffer.from(chunk)));
    expect(file.length).toBeGreaterThan(2 * 2_000 * 2_000 * 2);
    expect(file.length).toBeLessThan(2 * 2_000 * 2_000 * 2 + 4_096);
  });
});

describe(ProcessMemory.name, () => {
  it('marks the peak of a process and of its child, also when they have ended', async () => {
    // Its standard input ends with the test's pipe: nothing is left behind.
    const take = 'Buffer.alloc(120 * 1024 ** 2, 1); process.stdin.resume()';
    const parent = `require('child_process').spawn(process.execPath,
      ['-e', ${JSON.stringify(take)}], { stdio: 'inherit' }).on('exit', () => process.exit(0))`;
    const started = spawn(process.execPath, ['-e', parent], {
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    const sut = new ProcessMemory(() => new Map([[started.pid!, 'sut']]));
    while ((sut.peaks()[0]?.peakBytes ?? 0) < 120 * MIB) await systemClock.sleep(20);
    started.stdin.end();
    await once(started, 'exit');
    await sut.stop();
    const [child, own, ...others] = sut.peaks();
    expect(others).toEqual([]);
    expect([child?.root, own?.root, own?.pid]).toEqual(['sut', 'sut', started.pid]);
    expect(child!.peakBytes).toBeGreaterThan(120 * MIB);
    expect(own!.peakBytes).toBeLessThan(120 * MIB);
  });
});
