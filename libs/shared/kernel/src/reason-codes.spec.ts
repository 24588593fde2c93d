/**
 * Goal: the table of reasons is the closed table of the governance specification, in two languages.
 * Method: the codes by name and state as specified; the form of every text.
 */
import { describe, expect, it } from '@jest/globals';
import { isReasonCode, REASON_CODES, TERMINAL_STATES } from './reason-codes.js';

const CODES = Object.entries(REASON_CODES);
/** Code Meaning has VR LO (PS3.5 6.2). */
const MEANING_LENGTH_MAX = 64;

describe('REASON_CODES', () => {
  it('holds the codes of governance 4.3 with their states, and no other', () => {
    const ofState = (state: string): string[] =>
      CODES.filter(([, reason]) => reason.state === state).map(([code]) => code);
    expect(ofState('NOT_ELIGIBLE_LOGGED')).toEqual([
      'OBJECTION',
      'NO_PRODUCT',
      'NO_CONTRACT',
      'SITE_INACTIVE',
      'NOT_DEPLOYED',
      'OUT_OF_INTENDED_USE',
      'STUDY_TOO_OLD',
    ]);
    expect(ofState('NOT_ANALYSED_NOTIFIED')).toEqual([
      'COVERAGE_INSUFFICIENT',
      'INPUT_INCOMPLETE',
      'TAG_MISSING',
      'CERTIFICATE_INVALID',
      'SUSPENDED',
      'AGREEMENT_MISSING',
      'LICENCE_GRACE_OVER',
      'QUARANTINED_PIXELS',
      'QUARANTINED_IDENTIFIER',
      'CONFLICTING_INSTANCE',
      'MALFORMED',
      'IDENTITY_MISMATCH',
      'IDENTITY_UNEXPLAINED',
      'MODEL_FAILED',
      'OUTPUT_INVALID',
      'TIMEOUT',
      'PACS_REFUSED',
    ]);
    expect(CODES).toHaveLength(24);
  });

  it.each(CODES)('%s has a text in both languages that fits a code meaning', (_code, reason) => {
    for (const text of [reason.en, reason.nl]) {
      expect(text).toMatch(/^[\p{Ll}][^\\]*[^.\s]$/u);
      expect(text.length).toBeLessThanOrEqual(MEANING_LENGTH_MAX);
    }
    expect(reason.en).not.toBe(reason.nl);
    expect(TERMINAL_STATES).toContain(reason.state);
  });

  it('tells every code apart by its words', () => {
    for (const language of ['en', 'nl'] as const) {
      const texts = CODES.map(([, reason]) => reason[language]);
      expect(new Set(texts).size).toBe(CODES.length);
    }
  });

  it('knows its own codes only', () => {
    expect(isReasonCode('TIMEOUT')).toBe(true);
    expect(isReasonCode('toString')).toBe(false);
  });
});
