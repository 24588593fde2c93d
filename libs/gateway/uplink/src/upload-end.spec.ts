/**
 * Goal: what can be mended is never given up, what cannot be mended is not tried for ever.
 * Method: the table of ends, one by one.
 */
import { describe, expect, it } from '@jest/globals';
import { AifiError, type ErrorCode } from '@aifi/shared-kernel';
import { judgeEnd, REFUSALS_MAX, type UploadVerdict } from './upload-end.js';
import type { UploadEnd } from './upload.js';

type Asked = Extract<UploadEnd, { kind: 'refused' }>['asked'];
const refused = (asked: Asked, code: ErrorCode): UploadEnd => ({ kind: 'refused', code, asked });
const failed = (code: ErrorCode): UploadEnd => ({
  ...{ kind: 'failed', error: new AifiError(code, 'test') },
});

describe(judgeEnd.name, () => {
  const table: readonly [string, UploadEnd, UploadVerdict][] = [
    ['acknowledged', { kind: 'uploaded' }, 'done'],
    ['put back', { kind: 'put-back' }, 'again'],
    ['link cut', failed('PEER_UNAVAILABLE'), 'link-down'],
    ['no answer', failed('DEADLINE_EXCEEDED'), 'link-down'],
    ['another acknowledgement', failed('DIGEST_MISMATCH'), 'later'],
    ['a fault of our disk', failed('INTERNAL'), 'later'],
    ['a manifest that is wrong', refused('open', 'INVALID_ARGUMENT'), 'never'],
    ['other bytes under the job', refused('open', 'STATE_CONFLICT'), 'never'],
    ['a site that is not enrolled', refused('open', 'FORBIDDEN'), 'link-refused'],
    ['a certificate that is not valid', refused('close', 'UNTRUSTED'), 'link-refused'],
    ['no certificate', refused('open', 'UNAUTHENTICATED'), 'link-refused'],
    ['a defect of the hub', refused('open', 'INTERNAL'), 'later'],
    ['too much waiting', refused('open', 'LIMIT_EXCEEDED'), 'later'],
    ['an object that is missing', refused('close', 'STATE_CONFLICT'), 'later'],
    ['a job that the hub forgot', refused('close', 'NOT_FOUND'), 'later'],
    ['rules that are too old', refused('open', 'RULES_OUTDATED'), 'select-again'],
    ['an object that is refused', refused('send', 'PEER_REFUSED'), 'later'],
  ];
  it.each(table)('%s', (_, end, verdict) => {
    expect(judgeEnd(end, 0)).toBe(verdict);
  });
  it('gives up a study whose objects were refused three times', () => {
    const end = refused('send', 'PEER_REFUSED');
    expect(judgeEnd(end, REFUSALS_MAX - 2)).toBe('later');
    expect(judgeEnd(end, REFUSALS_MAX - 1)).toBe('never');
  });
  it('never gives up what a person or the hub can mend, however often it is refused', () => {
    for (const code of ['FORBIDDEN', 'UNTRUSTED', 'INTERNAL', 'LIMIT_EXCEEDED'] as const) {
      expect(judgeEnd(refused('open', code), 1_000)).not.toBe('never');
    }
    expect(judgeEnd(failed('PEER_UNAVAILABLE'), 1_000)).toBe('link-down');
  });
});
