/**
 * Goal: no site and no lane starves, the reserve holds, and no limit is ever passed, whatever sites
 * ask for. Method: single cases, then random programs of asking, ending and going away, checked
 * after every step.
 */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { SiteId } from '@aifi/shared-kernel';
import { admissionConfigSchema, FairAdmission, type AdmissionConfig } from './fair-admission.js';
import type { Lane } from './fair-queue.js';

const MIB = 1024 ** 2;
const site = (name: string): SiteId => name as unknown as SiteId;
const limits = (change: Partial<AdmissionConfig> = {}): AdmissionConfig => ({
  ...admissionConfigSchema.parse({}),
  ...{ objectsMax: 10, bytesMax: 100 * MIB, siteObjectsMax: 10, siteBytesMax: 100 * MIB },
  ...change,
});

interface Asked {
  readonly lane: Lane;
  readonly site: string;
  readonly abort: AbortController;
  state: 'waits' | 'in' | 'refused' | 'gone';
  leave: () => void;
}

/** Asks and keeps what came of it; promises are settled by the next `settle`. */
class Asking {
  readonly asked: Asked[] = [];
  constructor(readonly sut: FairAdmission) {}

  ask(name: string, lane: Lane = 'routine', sizeBytes = MIB): Asked {
    const abort = new AbortController();
    const one: Asked = { lane, site: name, abort, state: 'waits', leave: () => undefined };
    this.asked.push(one);
    this.sut.enter({ siteId: site(name), lane, sizeBytes, signal: abort.signal }).then(
      (leave) => {
        one.state = 'in';
        one.leave = leave;
      },
      (error: { code: string }) => {
        one.state = error.code === 'LIMIT_EXCEEDED' ? 'refused' : 'gone';
      },
    );
    return one;
  }
  in(): readonly Asked[] {
    return this.asked.filter((one) => one.state === 'in');
  }
  /** Ends one object, and lets the next ones know that they are in. */
  async end(one: Asked): Promise<void> {
    one.leave();
    this.asked.splice(this.asked.indexOf(one), 1);
    await settle();
  }
}
const settle = async (): Promise<void> => {
  for (let turns = 0; turns < 4; turns += 1) await Promise.resolve();
};

describe(FairAdmission.name, () => {
  it('lets in at once while there is room', async () => {
    const asking = new Asking(new FairAdmission(limits()));
    for (let count = 0; count < 8; count += 1) asking.ask('a');
    await settle();
    expect(asking.in()).toHaveLength(8);
  });

  it('keeps a fifth of the room for acute', async () => {
    const asking = new Asking(new FairAdmission(limits()));
    for (let count = 0; count < 20; count += 1) asking.ask('a');
    await settle();
    expect(asking.in()).toHaveLength(8);
    const acute = [asking.ask('b', 'acute'), asking.ask('b', 'acute')];
    await settle();
    expect(acute.map((one) => one.state)).toEqual(['in', 'in']);
    expect(asking.ask('b', 'acute').state).toBe('waits');
  });

  it('gives a site that asks for little its turn before one that asks for much', async () => {
    const asking = new Asking(new FairAdmission(limits({ siteObjectsMax: 10 })));
    for (let count = 0; count < 60; count += 1) asking.ask('greedy');
    await settle();
    const modest = asking.ask('modest');
    await asking.end(asking.in()[0]!);
    expect(modest.state).toBe('in');
  });

  it('shares by bytes, not by objects', async () => {
    const asking = new Asking(new FairAdmission(limits({ objectsMax: 5, siteWaitingMax: 500 })));
    for (let count = 0; count < 300; count += 1) {
      asking.ask('large', 'routine', 4 * MIB);
      asking.ask('small', 'routine', MIB / 4);
    }
    await settle();
    const done = { large: 0, small: 0 };
    for (let count = 0; count < 150; count += 1) {
      const [first] = asking.in();
      done[first!.site as 'large' | 'small'] += 1;
      await asking.end(first!);
    }
    expect(done.small).toBeGreaterThan(6 * done.large);
    expect(done.large).toBeGreaterThan(10);
  });

  it('follows weights', async () => {
    const weightOf = (name: string): number => (name === 'twice' ? 2 : 1);
    const room = limits({ objectsMax: 5, siteWaitingMax: 500 });
    const asking = new Asking(new FairAdmission(room, weightOf));
    for (let count = 0; count < 300; count += 1)
      for (const name of ['once', 'twice']) asking.ask(name);
    await settle();
    const done = { once: 0, twice: 0 };
    for (let count = 0; count < 150; count += 1) {
      const [first] = asking.in();
      done[first!.site as 'once' | 'twice'] += 1;
      await asking.end(first!);
    }
    expect(done.twice / done.once).toBeGreaterThan(1.8);
    expect(done.twice / done.once).toBeLessThan(2.2);
  });

  it('refuses a site that waits for too much, with a time, and nobody else', async () => {
    const asking = new Asking(new FairAdmission(limits({ siteWaitingMax: 3 })));
    for (let count = 0; count < 11; count += 1) asking.ask('a');
    await settle();
    const { signal } = new AbortController();
    const ask = { siteId: site('a'), lane: 'routine', sizeBytes: 1, signal } as const;
    await expect(asking.sut.enter(ask)).rejects.toMatchObject({
      ...{ code: 'LIMIT_EXCEEDED', cause: { retryAfterMs: expect.any(Number) } },
    });
    const other = asking.ask('b');
    await settle();
    expect(other.state).toBe('waits');
  });

  it('gives back a slot once, however often it is told', async () => {
    const asking = new Asking(new FairAdmission(limits({ objectsMax: 5, siteObjectsMax: 5 })));
    for (let count = 0; count < 8; count += 1) asking.ask('a');
    await settle();
    const [first] = asking.in();
    first!.leave();
    first!.leave();
    await settle();
    expect(asking.sut.use().lanes.routine.objects).toBe(4);
  });

  it('forgets who went away while waiting, and does not let it in', async () => {
    const asking = new Asking(new FairAdmission(limits()));
    for (let count = 0; count < 9; count += 1) asking.ask('a');
    await settle();
    const waiting = asking.asked[8]!;
    waiting.abort.abort();
    await settle();
    expect(waiting.state).toBe('gone');
    expect(asking.sut.use().sites.get('a')).toMatchObject({ waiting: 0 });
    const late = asking.ask('b');
    late.abort.abort();
    const never = new AbortController();
    never.abort();
    const ask = { siteId: site('b'), lane: 'acute', sizeBytes: 1, signal: never.signal } as const;
    await expect(asking.sut.enter(ask)).rejects.toMatchObject({ code: 'PEER_UNAVAILABLE' });
  });

  it('lets in an object larger than all the room, alone', async () => {
    const asking = new Asking(new FairAdmission(limits()));
    const small = asking.ask('a');
    const huge = asking.ask('b', 'routine', 4096 * MIB);
    const after = asking.ask('c');
    await settle();
    expect([small.state, huge.state, after.state]).toEqual(['in', 'waits', 'waits']);
    await asking.end(small);
    expect([huge.state, after.state]).toEqual(['in', 'waits']);
    await asking.end(huge);
    expect(after.state).toBe('in');
  });

  const step = fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({
        act: fc.constant('ask' as const),
        site: fc.constantFrom('a', 'b', 'c', 'd'),
        lane: fc.constantFrom('acute' as const, 'routine' as const, 'routine' as const),
        sizeBytes: fc.integer({ min: 1, max: 40 * MIB }),
      }),
    },
    { weight: 4, arbitrary: fc.record({ act: fc.constant('end' as const), pick: fc.nat() }) },
    { weight: 1, arbitrary: fc.record({ act: fc.constant('go' as const), pick: fc.nat() }) },
  );

  it('passes no limit and loses no slot in any order of events', async () => {
    const property = fc.asyncProperty(fc.array(step, { maxLength: 120 }), async (steps) => {
      const room = limits({ siteObjectsMax: 6, siteBytesMax: 60 * MIB, siteWaitingMax: 10 });
      const asking = new Asking(new FairAdmission(room));
      for (const one of steps) {
        if (one.act === 'ask') asking.ask(one.site, one.lane, one.sizeBytes);
        else {
          const from = one.act === 'end' ? asking.in() : asking.asked;
          const chosen = from[one.pick % Math.max(1, from.length)];
          if (one.act === 'end' && chosen) await asking.end(chosen);
          else if (chosen?.state === 'waits') chosen.abort.abort();
        }
        await settle();
        const { lanes, sites } = asking.sut.use();
        const { acute, routine } = lanes;
        expect(acute.objects + routine.objects).toBe(asking.in().length);
        expect(acute.objects + routine.objects).toBeLessThanOrEqual(room.objectsMax);
        expect(acute.bytes + routine.bytes).toBeLessThanOrEqual(room.bytesMax);
        expect(routine.objects).toBeLessThanOrEqual(room.objectsMax * 0.8);
        expect(routine.bytes).toBeLessThanOrEqual(room.bytesMax * 0.8);
        for (const { inFlight, waiting } of sites.values()) {
          expect(inFlight.objects).toBeLessThanOrEqual(room.siteObjectsMax);
          expect(inFlight.bytes).toBeLessThanOrEqual(room.siteBytesMax);
          expect(waiting).toBeLessThanOrEqual(room.siteWaitingMax);
        }
      }
      // Everybody who still waits is let in when the others end, and then nothing is left.
      for (let left = asking.in(); left.length > 0; left = asking.in()) await asking.end(left[0]!);
      expect(asking.asked.filter((one) => one.state === 'waits')).toEqual([]);
      expect(asking.sut.use().sites.size).toBe(0);
    });
    await fc.assert(property, { numRuns: 300 });
  });

  it('lets nobody starve: a bounded number of objects goes before any that waits', async () => {
    const flood = fc.array(
      fc.record({
        site: fc.constantFrom('b', 'c', 'd'),
        lane: fc.constantFrom('acute' as const, 'routine' as const),
        sizeBytes: fc.integer({ min: 1, max: 4 * MIB }),
      }),
      { minLength: 400, maxLength: 400 },
    );
    const property = fc.asyncProperty(flood, async (others) => {
      const asking = new Asking(new FairAdmission(limits({ siteWaitingMax: 400 })));
      const queue = [...others];
      const askNext = (): void => {
        const next = queue.shift();
        if (next) asking.ask(next.site, next.lane, next.sizeBytes);
      };
      for (let count = 0; count < 60; count += 1) askNext();
      await settle();
      const mine = asking.ask('a', 'routine', 4 * MIB);
      await settle();
      let before = 0;
      // The others never stop asking.
      while (mine.state === 'waits') {
        askNext();
        await asking.end(asking.in()[0]!);
        before += 1;
        expect(before).toBeLessThan(200);
      }
    });
    await fc.assert(property, { numRuns: 60 });
  });
});
