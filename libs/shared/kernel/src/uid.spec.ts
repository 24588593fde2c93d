/** Goal: derived UIDs are valid and keyed. Method: format check over many keys and inputs. */
import { describe, expect, it } from '@jest/globals';
import { isUid, keyedUid } from './index.js';

describe('keyedUid', () => {
  it('is a valid UID of at most 44 characters, the same for the same input', () => {
    for (let i = 0; i < 500; i += 1) {
      const uid = keyedUid(Buffer.from([i & 255]), 'uid', String(i));
      expect(isUid(uid)).toBe(true);
      expect(uid.length).toBeLessThanOrEqual(44);
      expect(keyedUid(Buffer.from([i & 255]), 'uid', String(i))).toBe(uid);
    }
  });
  it('differs between keys and between inputs', () => {
    const uids = new Set<string>();
    for (let i = 0; i < 200; i += 1) {
      uids.add(keyedUid(Buffer.from('key-a'), 'uid', String(i)));
      uids.add(keyedUid(Buffer.from('key-b'), 'uid', String(i)));
    }
    expect(uids.size).toBe(400);
  });
});
