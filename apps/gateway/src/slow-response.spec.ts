/**
 * Goal: an export goes at the speed of its reader, and never looks whole when it is not.
 * Method: a response that takes one chunk and then waits, and a clock moved by hand.
 */
import { describe, expect, it } from '@jest/globals';
import { EventEmitter } from 'node:events';
import { FakeClock } from '@aifi/shared-testing';
import { sendSlowly, type SlowResponse } from './slow-response.js';

class Reader extends EventEmitter implements SlowResponse {
  readonly taken: string[] = [];
  readonly headers: Record<string, string> = {};
  destroyed = false;
  writableEnded = false;
  isFull = true;

  status(): this {
    return this;
  }
  set(name: string, value: string): this {
    this.headers[name] = value;
    return this;
  }
  write(chunk: string): boolean {
    this.taken.push(chunk);
    return !this.isFull;
  }
  end(): void {
    this.writableEnded = true;
  }
  destroy(): void {
    this.destroyed = true;
    this.emit('close');
  }
}
const turn = (): Promise<void> => new Promise(setImmediate);
async function* chunks(made: number[], fault?: Error): AsyncGenerator<string> {
  for (const number of [1, 2, 3]) {
    made.push(number);
    yield String(number);
    if (fault) throw fault;
  }
}

describe(sendSlowly.name, () => {
  const headers = { 'Content-Type': 'text/csv' };

  it('makes nothing before the reader has taken what came before', async () => {
    const [reader, made, clock] = [new Reader(), [] as number[], new FakeClock()];
    const sent = sendSlowly(reader, { headers, chunks: chunks(made), clock });
    for (const count of [1, 2, 3]) {
      await turn();
      expect(made).toHaveLength(count);
      reader.emit('drain');
    }
    await sent;
    expect(reader).toMatchObject({ taken: ['1', '2', '3'], writableEnded: true, destroyed: false });
    expect(reader.headers).toEqual(headers);
    expect(reader.listenerCount('drain') + reader.listenerCount('close')).toBe(0);
  });
  it('cuts a reader that takes nothing for long', async () => {
    const [reader, clock] = [new Reader(), new FakeClock()];
    const sent = sendSlowly(reader, { headers, chunks: chunks([]), clock });
    await turn();
    clock.advance(30_000);
    await sent;
    expect(reader).toMatchObject({ taken: ['1'], writableEnded: false, destroyed: true });
  });
  it('ends with its reader, and cuts what fails half way', async () => {
    const [gone, clock] = [new Reader(), new FakeClock()];
    const sent = sendSlowly(gone, { headers, chunks: chunks([]), clock });
    await turn();
    gone.destroy();
    await sent;
    expect(gone.taken).toEqual(['1']);
    const reader = new Reader();
    reader.isFull = false;
    const fault = new Error('no');
    const failing = sendSlowly(reader, { headers, chunks: chunks([], fault), clock });
    await expect(failing).rejects.toBe(fault);
    expect(reader).toMatchObject({ writableEnded: false, destroyed: true });
  });
});
