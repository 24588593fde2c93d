/**
 * Goal: an exception that reaches nobody ends the process, once, with a line that quotes nothing.
 * Method: an emitter in place of the process.
 */
import { EventEmitter } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { stopOnDefect } from './defect-stop.js';

describe(stopOnDefect.name, () => {
  it.each(['uncaughtException', 'unhandledRejection'])('ends the process at %s', (event) => {
    const events = new EventEmitter();
    const [faults, codes]: [unknown[], number[]] = [[], []];
    const logger = { fault: (...all: unknown[]) => void faults.push(all) };
    stopOnDefect({ logger, events, exit: (code) => void codes.push(code) });
    const error = new Error('text of somebody');
    events.emit(event, error);
    events.emit('uncaughtException', new Error('one more on the way out'));
    expect(faults).toEqual([['the hub met a defect and stops', error]]);
    expect(codes).toEqual([1]);
  });
  it('ends the process also when the line cannot be written', () => {
    const events = new EventEmitter();
    const codes: number[] = [];
    const fault = (): void => {
      throw new Error('no output');
    };
    stopOnDefect({ logger: { fault }, events, exit: (code) => void codes.push(code) });
    expect(() => events.emit('uncaughtException', new Error('any'))).toThrow('no output');
    expect(codes).toEqual([1]);
  });
});
