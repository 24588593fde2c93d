/**
 * Goal: every point gets its turn, and a process is never armed with what it cannot pass.
 * Method: a run without processes: each armed point is hit or missed at will.
 */
import { describe, expect, it } from '@jest/globals';
import { SeededChance } from '@aifi/fault-injection';
import { Coverage } from './coverage.js';

const POINTS = ['gateway.a.x', 'gateway.b.x', 'gateway.c.x', 'hub.a.x'];
const coverage = (isPossibleAt: (point: string) => boolean = () => true): Coverage =>
  new Coverage({ points: POINTS, goal: 3, chance: new SeededChance('seed'), isPossibleAt });

describe(Coverage.name, () => {
  it('brings every point of an app to its goal and then leaves it alone', () => {
    const sut = coverage();
    for (let life = 0; life < 9; life += 1) {
      const { point } = sut.arm('gateway', 'gateway-a')!;
      sut.ended(point, true);
    }
    expect(sut.arm('gateway', 'gateway-a')).toBeUndefined();
    expect(sut.open).toEqual(['hub.a.x']);
  });
  it('does not give what is not reached again before the others had their turn', () => {
    const sut = coverage();
    const given: string[] = [];
    for (let life = 0; life < 6; life += 1) {
      const { point } = sut.arm('gateway', 'gateway-a')!;
      given.push(point);
      sut.ended(point, point !== 'gateway.b.x');
    }
    expect(given.filter((point) => point === 'gateway.b.x').length).toBeGreaterThanOrEqual(1);
    expect(new Set(given).size).toBe(3);
  });
  it('counts what is armed elsewhere', () => {
    const sut = coverage((point) => point === 'gateway.a.x');
    for (let life = 0; life < 3; life += 1) expect(sut.arm('gateway', 'g')).toBeDefined();
    expect(sut.arm('gateway', 'g')).toBeUndefined();
    sut.ended('gateway.a.x', false);
    expect(sut.arm('gateway', 'g')!.point).toBe('gateway.a.x');
  });
  it('asks for a later passage only of a point that was reached before', () => {
    const sut = coverage();
    for (let life = 0; life < 4; life += 1) {
      const armed = sut.arm(life < 3 ? 'gateway' : 'hub', 'p')!;
      // The least of its kind.
      expect(armed.passage).toBe(1);
      sut.ended(armed.point, true);
    }
  });
});
