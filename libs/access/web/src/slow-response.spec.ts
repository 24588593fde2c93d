/**
 * Goal: a long answer goes at the reader's speed, and never ends as if it were whole if it is not.
 * Method: a response that is full from the start, a clock moved by hand.
 */
import { EventEmitter } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { silentLogger } from '@aifi/shared-observability';
import { FakeClock } from '@aifi/shared-testing';
import { sendSlowly, type SlowResponse } from './slow-response.js';

class FullResponse extends EventEmitter implements SlowResponse {
  readonly written: string[] = [];
  destroyed = false;
  writableEnded = false;
  status(): this {
    return this;
  }
  set(): this {
    return this;
  }
  write(chunk: string | Uint8Array): boolean {
    this.written.push(String(chunk));
    return false;
  }
  end(): void {
    this.writableEnded = true;
  }
  destroy(): void {
    this.destroyed = true;
  }
}
let made = 0;
async function* chunks(fault?: Error): AsyncGenerator<string> {
  for (const chunk of ['a', 'b', 'c']) {
    made += 1;
    if (fault && chunk === 'b') throw fault;
    yield chunk;
  }
}
const turns = async (): Promise<void> => {
  for (let n = 0; n < 20; n += 1) await Promise.resolve();
};
function send(fault?: Error) {
  made = 0;
  const [sut, clock] = [new FullResponse(), new FakeClock()];
  const answer = { headers: {}, chunks: chunks(fault), clock, logger: silentLogger };
  return { sut, clock, done: sendSlowly(sut, answer) };
}

describe(sendSlowly.name, () => {
  it('makes nothing more before the reader has taken what there is', async () => {
    const { sut, done } = send();
    for (const count of [1, 2, 3]) {
      await turns();
      expect([made, sut.written.length]).toEqual([count, count]);
      sut.emit('drain');
    }
    await done;
    expect(sut).toMatchObject({ written: ['a', 'b', 'c'], writableEnded: true, destroyed: false });
    expect(sut.listenerCount('drain') + sut.listenerCount('close')).toBe(0);
  });
  it('cuts a reader who takes nothing any more', async () => {
    const { sut, clock, done } = send();
    await turns();
    clock.advance(30_000);
    await done;
    expect(sut).toMatchObject({ written: ['a'], writableEnded: false, destroyed: true });
  });
  it('stops for a reader who has gone', async () => {
    const { sut, done } = send();
    await turns();
    sut.emit('close');
    await done;
    expect(made).toBe(1);
    expect(sut.destroyed).toBe(true);
  });
  it('breaks an answer off that cannot be made to its end', async () => {
    const { sut, done } = send(new Error('Doe^Jane'));
    await turns();
    sut.emit('drain');
    await done;
    expect(sut).toMatchObject({ written: ['a'], writableEnded: false, destroyed: true });
  });
});
