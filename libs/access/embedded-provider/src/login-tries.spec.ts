/**
 * Goal: passwords cannot be guessed by trying. Method: a fake clock.
 */
import { describe, expect, it } from '@jest/globals';
import { FakeClock } from '@aifi/shared-testing';
import { LoginTries, TRIES_MAX, WINDOW_MS } from './login-tries.js';

function aNameWithWrongTries(count: number): { clock: FakeClock; sut: LoginTries } {
  const clock = new FakeClock();
  const sut = new LoginTries(clock);
  for (let index = 0; index < count; index += 1) sut.wrong('someone');
  return { clock, sut };
}

describe(LoginTries.name, () => {
  it('refuses every try after too many wrong ones, until the window is over', () => {
    const { clock, sut } = aNameWithWrongTries(TRIES_MAX);
    expect(sut.mayTry('someone')).toBe(false);
    clock.advance(WINDOW_MS - 1);
    expect(sut.mayTry('someone')).toBe(false);
    clock.advance(1);
    expect(sut.mayTry('someone')).toBe(true);
  });
  it('lets another name try', () => {
    expect(aNameWithWrongTries(TRIES_MAX).sut.mayTry('other')).toBe(true);
  });
  it('forgets wrong tries after a right one', () => {
    const { sut } = aNameWithWrongTries(TRIES_MAX - 1);
    sut.right('someone');
    sut.wrong('someone');
    expect(sut.mayTry('someone')).toBe(true);
  });
  it('remembers a bounded number of names', () => {
    const { sut } = aNameWithWrongTries(TRIES_MAX);
    for (let index = 0; index < 1_000; index += 1) sut.wrong(`name ${index}`);
    expect(sut.mayTry('someone')).toBe(true);
    expect(sut.mayTry('name 999')).toBe(true);
  });
});
