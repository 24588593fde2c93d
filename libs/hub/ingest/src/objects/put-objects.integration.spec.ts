/**
 * Goal: a stream of PutObjects keeps its slots only while its gateway goes on. Method: the handler
 * on a stream that the test speaks, real files, records in memory, time moved by hand.
 */
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { uplink } from '@aifi/contracts-proto';
import { FolderObjectStore } from '@aifi/hub-object-store';
import { AifiError, type SiteId } from '@aifi/shared-kernel';
import { FakeClock, temporaryFolder, type TemporaryFolder } from '@aifi/shared-testing';
import { JOB, objectOf, type Made } from '../../test/object-gateway.js';
import { MemoryObjectRecords } from './memory-object-records.js';
import { ObjectCommit } from './object-commit.js';
import { createPutObjects } from './put-objects.js';

const siteId = 'site-a' as unknown as SiteId;
const MIB = 1024 ** 2;

/** What a gateway says, one part after another. */
class Said {
  readonly #parts: uplink.PutObjectsRequest[] = [];
  #changed = Promise.withResolvers<void>();
  #hasEnded = false;

  say(part: NonNullable<uplink.PutObjectsRequest['part']>): void {
    this.#parts.push({ part });
    this.#changed.resolve();
  }
  end(): void {
    this.#hasEnded = true;
    this.#changed.resolve();
  }
  async *[Symbol.asyncIterator](): AsyncGenerator<uplink.PutObjectsRequest> {
    for (;;) {
      const next = this.#parts.shift();
      if (next) yield next;
      else if (this.#hasEnded) return;
      else {
        await this.#changed.promise;
        this.#changed = Promise.withResolvers();
      }
    }
  }
}

describe(createPutObjects.name, () => {
  let folder: TemporaryFolder;
  let records: MemoryObjectRecords;
  let store: FolderObjectStore;
  let clock: FakeClock;
  let said: Said;
  let slots: number;
  let heard: number;
  let write: () => Promise<void>;
  let end: string | undefined;

  beforeEach(() => {
    folder = temporaryFolder('put-objects');
    records = new MemoryObjectRecords();
    store = new FolderObjectStore(folder.path);
    [clock, said] = [new FakeClock(), new Said()];
    [slots, heard, end] = [0, 0, undefined];
    write = () => Promise.resolve();
  });
  afterEach(() => {
    // Whatever happened, no slot is lost.
    expect(slots).toBe(0);
    folder.remove();
  });

  function serve(...objects: readonly Made[]): Promise<void> {
    const listed = objects.map(({ header }) => ({ ...header, lane: 'routine' }) as never);
    records.open(siteId, JOB, listed);
    const enter = (): Promise<() => void> => {
      slots += 1;
      return Promise.resolve(() => void (slots -= 1));
    };
    const put = createPutObjects({
      ...{ store, records, clock, admission: { enter } },
      commit: new ObjectCommit({ store, records, clock }),
    });
    const stream = {
      ...{ peer: { siteId, gateway: 1 }, requests: said, signal: new AbortController().signal },
      write: () => {
        heard += 1;
        return write();
      },
    };
    return put(stream).then(
      () => void (end = 'well'),
      (error: unknown) => void (end = AifiError.from(error).code),
    );
  }
  const header = (object: Made): void => said.say({ $case: 'header', value: object.header });
  const chunk = (bytes: Buffer): void => said.say({ $case: 'chunk', value: bytes });
  const until = async (done: () => boolean): Promise<void> => {
    while (!done()) await new Promise((next) => setTimeout(next, 1));
  };
  /** The slot is used: the file of the object is there. */
  const begun = async (): Promise<void> => {
    const incoming = join(folder.path, 'site-a', 'incoming');
    await until(() => existsSync(incoming) && readdirSync(incoming).length > 0);
    for (let turn = 0; turn < 20; turn += 1) await new Promise((next) => setTimeout(next, 1));
    expect(slots).toBe(1);
  };
  /** Seconds until the stream ends, `speak` before each; 600 when it does not. */
  async function lasts(speak: () => void = () => undefined): Promise<number> {
    for (let second = 0; second < 600; second += 1) {
      if (end) return second;
      speak();
      clock.advance(1_000);
      await new Promise((next) => setTimeout(next, 1));
    }
    return 600;
  }

  it('ends a stream that says a header and nothing more, and frees its slot', async () => {
    const object = objectOf(randomBytes(MIB));
    const served = serve(object);
    header(object);
    await begun();
    const seconds = await lasts();
    expect(seconds).toBeGreaterThanOrEqual(60);
    expect(seconds).toBeLessThan(600);
    await served;
    expect(end).toBe('DEADLINE_EXCEEDED');
  });

  it('ends a stream that brings a byte now and then, and keeps what has come', async () => {
    const object = objectOf(randomBytes(2 * MIB));
    const { sha256 } = object.header;
    const served = serve(object);
    header(object);
    const step = MIB / 4;
    for (let from = 0; from < MIB; from += step) chunk(object.bytes.subarray(from, from + step));
    let at = MIB;
    await begun();
    expect(await lasts(() => chunk(object.bytes.subarray(at, (at += 1))))).toBeLessThan(600);
    await served;
    expect(end).toBe('DEADLINE_EXCEEDED');
    const held = (await store.offsets(siteId, [sha256 as never])).get(sha256 as never) ?? 0;
    expect(held).toBeGreaterThan(MIB);
  });

  it('takes an object that comes slowly, but fast enough', async () => {
    const object = objectOf(randomBytes(8 * 64 * 1024));
    const served = serve(object);
    header(object);
    let second = 0;
    await lasts(() => {
      const part = second / 50;
      if (Number.isInteger(part) && part < 8) {
        chunk(object.bytes.subarray(part * 64 * 1024, (part + 1) * 64 * 1024));
      }
      if (part === 8) said.end();
      second += 1;
    });
    await served;
    expect([end, heard]).toEqual(['well', 1]);
  });

  it('ends a stream that does not read its acknowledgements', async () => {
    const object = objectOf(randomBytes(1_000));
    write = () => new Promise(() => undefined);
    const served = serve(object);
    header(object);
    chunk(object.bytes);
    await until(() => heard === 1);
    expect(slots).toBe(1);
    expect(await lasts()).toBeLessThan(600);
    await served;
    expect(end).toBe('DEADLINE_EXCEEDED');
  });

  it('leaves a stream alone that holds no slot', async () => {
    const served = serve();
    expect(await lasts()).toBe(600);
    said.end();
    await served;
    expect(end).toBe('well');
  });
});
