/**
 * Goal: cursors are opaque, stable and harmless.
 * Method: round trips by property, and texts that are no cursor.
 */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { auditPage, readCursor, writeCursor } from './audit-store.js';
import { aTrail } from './test-trail.js';

const refused = expect.objectContaining({ code: 'INVALID_ARGUMENT' });

describe(readCursor.name, () => {
  it('gives back what was written', () => {
    const cursors = fc.record({
      atMs: fc.nat(),
      chain: fc.stringMatching(/^(hub|gateway):[a-z*-]{1,60}$/),
      sequence: fc.nat(),
    });
    fc.assert(
      fc.property(cursors, (cursor) => {
        expect(readCursor(writeCursor(cursor))).toEqual(cursor);
        expect(writeCursor(cursor)).toMatch(/^[\w-]{1,512}$/);
      }),
    );
  });
  it.each(['', 'x', 'bnVsbA', writeCursor({ atMs: -1, chain: '', sequence: 1 })])(
    'refuses %j',
    (text) => expect(() => readCursor(text)).toThrow(refused),
  );
  it('refuses a NUL, which a database would', () => {
    const text = writeCursor({ atMs: 1, chain: 'a\0', sequence: 1 });
    expect(() => readCursor(text)).toThrow(refused);
  });
});

describe(auditPage.name, () => {
  it('has a next page exactly when one record more was there', () => {
    const trail = aTrail(3);
    expect(auditPage(trail, 3)).toEqual({ items: trail, nextCursor: null });
    const { items, nextCursor } = auditPage(trail, 2);
    expect(items).toEqual(trail.slice(0, 2));
    expect(readCursor(nextCursor!)).toMatchObject({ sequence: 2 });
    expect(auditPage([], 2)).toEqual({ items: [], nextCursor: null });
  });
});
