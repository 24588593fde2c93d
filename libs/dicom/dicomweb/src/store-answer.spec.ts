/**
 * Goal: an answer of STOW-RS means what the same answer of C-STORE would mean, and only an answer
 * that names the instance is a success.
 * Method: answers by HTTP status and body, as PS3.18 10.5.3 has them and as services deviate.
 */
import { describe, expect, it } from '@jest/globals';
import { storeVerdict } from '@aifi/dicom-dimse';
import { storeStatus, WebStatus } from './store-answer.js';

const OURS = '2.25.3';
const named = (uid: string, more: object = {}) => ({
  '00081150': { vr: 'UI', Value: ['1.2.840.10008.5.1.4.1.1.7'] },
  '00081155': { vr: 'UI', Value: [uid] },
  ...more,
});
const stored = (...items: object[]) => ({ '00081199': { vr: 'SQ', Value: items } });
const failed = (...items: object[]) => ({ '00081198': { vr: 'SQ', Value: items } });
const reason = (value: unknown) => ({ '00081197': { vr: 'US', Value: [value] } });
const warning = (value: unknown) => ({ '00081196': { vr: 'US', Value: [value] } });
const answer = (status: number, body: unknown) => ({
  status,
  body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
});

describe(storeStatus.name, () => {
  const verdicts: readonly (readonly [string, number, unknown, number])[] = [
    ['stored', 200, stored(named(OURS)), 0x0000],
    ['stored, in a list', 200, [stored(named(OURS))], 0x0000],
    ['stored with a warning', 202, stored(named(OURS, warning(0xb006))), 0xb006],
    ['stored with a warning of its own', 202, stored(named(OURS, warning(1))), 0xb000],
    ['failed', 409, failed(named(OURS, reason(0x0122))), 0x0122],
    ['failed under 200', 200, failed(named(OURS, reason(0xa700))), 0xa700],
    ['failed with a reason as text', 202, failed(named(OURS, reason('43264'))), 0xa900],
    ['failed for its transfer syntax', 409, failed(named(OURS, reason(0xc122))), 0xc122],
    ['duplicate', 409, failed(named(OURS, reason(0x0111))), 0x0111],
    ['failed without a reason', 409, failed(named(OURS)), 0x0110],
    ['failed with a reason that is no failure', 409, failed(named(OURS, reason(0xb000))), 0x0110],
    ['both stored and failed', 202, { ...stored(named(OURS)), ...failed(named(OURS)) }, 0x0110],
    ['failed without a name', 409, { '0008119A': { vr: 'SQ', Value: [reason(0xa710)] } }, 0xa710],
    ['conflict that says nothing', 409, '', 0x0110],
    ['conflict that names it as stored', 409, stored(named(OURS)), 0x0110],
    ['bad request', 400, '<html>', 0xc000],
    ['too large', 413, '', 0xc000],
    ['media type not taken', 415, '', 0x0122],
    ['busy', 503, '', 0xa700],
    ['too many requests', 429, '', 0xa700],
    ['disk full', 507, '', 0xa700],
  ];
  for (const [what, status, body, expected] of verdicts) {
    it(`${what}: ${expected.toString(16)}`, () => {
      expect(storeStatus(answer(status, body), OURS)).toBe(expected);
    });
  }

  it('never retries what is final, nor the other way round', () => {
    const verdictOf = (status: number): string =>
      storeVerdict(storeStatus(answer(status, ''), OURS));
    expect([400, 413, 415].map(verdictOf)).toEqual(['refused', 'refused', 'refused']);
    expect([409, 429, 503, 507].map(verdictOf)).toEqual(['retry', 'retry', 'retry', 'retry']);
  });

  for (const body of ['', 'null', '[]', '[1]', '<xml/>', '{', stored(named('2.25.4')), {}]) {
    it(`200 with ${JSON.stringify(body)} is no answer`, () => {
      const ask = (): unknown => storeStatus(answer(200, body), OURS);
      expect(ask).toThrow(expect.objectContaining({ code: 'PEER_UNAVAILABLE' }));
    });
  }

  const faults = [
    [401, 'UNAUTHENTICATED'],
    [403, 'FORBIDDEN'],
    [301, 'PEER_UNAVAILABLE'],
    [404, 'PEER_UNAVAILABLE'],
    [500, 'PEER_UNAVAILABLE'],
  ] as const;
  for (const [status, code] of faults) {
    it(`${status} is no verdict on the object but ${code}`, () => {
      const ask = (): unknown => storeStatus(answer(status, stored(named(OURS))), OURS);
      expect(ask).toThrow(expect.objectContaining({ code, cause: expect.any(WebStatus) }));
    });
  }
});
