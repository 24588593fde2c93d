/**
 * Goal: codes are those of the standard. Method: RFC 6238 appendix B, SHA-1, the last six digits.
 */
import { expect, it } from '@jest/globals';
import { oneTimeCode } from './totp.js';

it.each([
  [59, '287082'],
  [1_111_111_109, '081804'],
  [1_234_567_890, '005924'],
  [20_000_000_000, '353130'],
])('at %d s', (seconds, code) => {
  expect(oneTimeCode('12345678901234567890', seconds * 1_000)).toBe(code);
});
