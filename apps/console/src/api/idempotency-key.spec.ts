/** Goal: one act has one key, however often the button is pressed. Method: counts new keys. */
import { describe, expect, it } from '@jest/globals';
import { ActKey } from './idempotency-key.js';

const actKey = (): ActKey => {
  let keys = 0;
  return new ActKey(() => `key-${(keys += 1)}`);
};

describe(ActKey.name, () => {
  it('keeps the key while the same is tried again', () => {
    const sut = actKey();
    expect(sut.keyFor({ reason: 'a' })).toBe('key-1');
    expect(sut.keyFor({ reason: 'a' })).toBe('key-1');
  });
  it('takes another key for another body', () => {
    const sut = actKey();
    sut.keyFor({ reason: 'a' });
    expect(sut.keyFor({ reason: 'b' })).toBe('key-2');
  });
  it('takes another key after the server has answered', () => {
    const sut = actKey();
    sut.keyFor({ reason: 'a' });
    sut.settled();
    expect(sut.keyFor({ reason: 'a' })).toBe('key-2');
  });
});
