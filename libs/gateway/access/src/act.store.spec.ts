/**
 * Goal: exactly one effect and one record for an act, however often it is sent.
 * Method: real SQLite, a caller with keys; the kill of the process is in the integration test.
 */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { join } from 'node:path';
import { FakeClock, temporaryFolder, type TemporaryFolder } from '@aifi/shared-testing';
import { callerOf, type TestCaller } from '../test/fake-caller.js';
import { GatewayActStore, IDEMPOTENCY_MS_MAX } from './act.store.js';
import { openGatewayAccess, type GatewayAccess } from './gateway-access.js';

const KEY = 'key-00001';

describe(GatewayActStore.name, () => {
  let folder: TemporaryFolder;
  let access: GatewayAccess;
  let effects: number;
  const clock = new FakeClock();
  beforeEach(() => {
    folder = temporaryFolder('acts');
    effects = 0;
    access = openGatewayAccess({ path: join(folder.path, 'a.db'), siteId: 'site-a', clock });
  });
  afterEach(async () => {
    await access.database.close();
    folder.remove();
  });
  const work = async () => {
    effects += 1;
    await new Promise(setImmediate);
    return { answer: { effects }, subject: { objectType: 'patient-flag', objectId: 'f' } };
  };
  const trail = async () => (await access.trail.search({ limit: 50 })).items;

  it('does an act once for its key and answers a repeat as before, without a record', async () => {
    const [first, second] = [callerOf({ key: KEY }), callerOf({ key: KEY })];
    expect(await access.acts.perform(first, { body: 1 }, work)).toEqual({ effects: 1 });
    expect(await access.acts.perform(second, { body: 1 }, work)).toEqual({ effects: 1 });
    expect([first.repeats(), second.repeats(), effects]).toEqual([0, 1, 1]);
    expect(await trail()).toHaveLength(1);
  });
  it('does it once also when both come at the same time', async () => {
    const both = [callerOf({ key: KEY }), callerOf({ key: KEY })];
    await Promise.all(both.map((caller) => access.acts.perform(caller, {}, work)));
    expect(effects).toBe(1);
    expect(await trail()).toHaveLength(1);
  });
  it('refuses the key of another request, or of another act', async () => {
    await access.acts.perform(callerOf({ key: KEY }), { body: 1 }, work);
    const conflict = { code: 'STATE_CONFLICT' };
    const other = access.acts.perform(callerOf({ key: KEY }), { body: 2 }, work);
    await expect(other).rejects.toMatchObject(conflict);
    const act = access.acts.perform(
      callerOf({ key: KEY, act: 'alert.acknowledge' }),
      { body: 1 },
      work,
    );
    await expect(act).rejects.toMatchObject(conflict);
    expect(effects).toBe(1);
  });
  it('takes the same key of another user as another act', async () => {
    await access.acts.perform(callerOf({ key: KEY }), {}, work);
    await access.acts.perform(callerOf({ key: KEY, userId: 'ben' }), {}, work);
    expect(effects).toBe(2);
  });
  it('keeps nothing of an act that fails: it can be sent again', async () => {
    const failing = access.acts.perform(callerOf({ key: KEY }), {}, () => {
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    expect(await trail()).toHaveLength(0);
    await access.acts.perform(callerOf({ key: KEY }), {}, work);
    expect(await trail()).toHaveLength(1);
  });
  describe('with an effect in another database', () => {
    const order = (caller: TestCaller, carryOut: (at: { n: number }) => Promise<unknown>) =>
      access.acts.order(
        caller,
        { body: 1 },
        {
          ...{ order: { n: effects + 1 }, carryOut },
          subject: { objectType: 'dead-letter', objectId: 'd' },
        },
      );
    const carryOut = async ({ n }: { n: number }) => {
      effects += 1;
      await new Promise(setImmediate);
      return { done: n };
    };
    const callers = () => [callerOf({ key: KEY }), callerOf({ key: KEY })] as const;

    it('is on record before it is carried out, and answers a repeat as before', async () => {
      const [first, second] = callers();
      const looking = async (at: { n: number }) => {
        expect(await trail()).toHaveLength(1);
        return carryOut(at);
      };
      expect(await order(first, looking)).toEqual({ done: 1 });
      expect(await order(second, carryOut)).toEqual({ done: 1 });
      expect([first.repeats(), second.repeats(), effects]).toEqual([0, 1, 1]);
      expect(await trail()).toHaveLength(1);
    });
    it('is carried out as first ordered when asked again after no answer came', async () => {
      const [first, second] = callers();
      const cut = order(first, () => Promise.reject(new Error('cut')));
      await expect(cut).rejects.toThrow('cut');
      effects = 7;
      expect(await order(second, carryOut)).toEqual({ done: 1 });
      expect([effects, second.repeats(), (await trail()).length]).toEqual([8, 1, 1]);
    });
    it('gives both the same answer when they come at the same time', async () => {
      const answers = await Promise.all(
        callers().map((caller) =>
          order(caller, async () => {
            effects += 1;
            const answer = { done: effects };
            await new Promise(setImmediate);
            return answer;
          }),
        ),
      );
      expect(answers).toEqual([{ done: 1 }, { done: 1 }]);
      expect(await trail()).toHaveLength(1);
    });
    it('refuses the key of another request', async () => {
      await access.acts.perform(callerOf({ key: KEY }), { body: 2 }, work);
      await expect(order(callers()[0], carryOut)).rejects.toMatchObject({ code: 'STATE_CONFLICT' });
      expect(await trail()).toHaveLength(1);
    });
  });
  it('does nothing without a key', async () => {
    const nothing = access.acts.perform(callerOf({ key: null }), {}, work);
    await expect(nothing).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(effects).toBe(0);
  });
  it('forgets a key and its answer after a day', async () => {
    await access.acts.perform(callerOf({ key: KEY }), {}, work);
    clock.advance(IDEMPOTENCY_MS_MAX);
    expect(await access.acts.purge()).toBe(0);
    clock.advance(1);
    expect(await access.acts.purge()).toBe(1);
  });
});
