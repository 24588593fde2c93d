/**
 * Goal: whatever the classes of a study, the proposal of a C-GET fits one association, and leaves
 * the PACS no choice of syntax where that fits.
 * Method: pure.
 */
import { describe, expect, it } from '@jest/globals';
import { LIMITS } from '@aifi/shared-kernel';
import { encodeAssociateRequest } from './associate.js';
import { storageContexts } from './storage-contexts.js';

const classes = (count: number): string[] =>
  Array.from({ length: count }, (_, at) => `1.2.840.10008.5.1.4.1.1.${at + 1}`);

describe(storageContexts.name, () => {
  it('has a context for each class and syntax where they fit', () => {
    const contexts = storageContexts([...classes(9), ...classes(2)]);
    expect(contexts).toHaveLength(9 * 14);
    expect(contexts.every(({ transferSyntaxUids }) => transferSyntaxUids.length === 1)).toBe(true);
    expect(new Set(contexts.map((one) => JSON.stringify(one))).size).toBe(contexts.length);
  });
  it('has one for each class where there are too many', () => {
    expect(storageContexts(classes(10))).toHaveLength(10);
    expect(storageContexts(classes(500))).toHaveLength(127);
  });
  it('takes the usual classes where the PACS tells none', () => {
    expect(storageContexts([]).length).toBeGreaterThan(30);
    expect(storageContexts([''])).toEqual(storageContexts([]));
  });
  it('fits an association request, roles included', () => {
    for (const wanted of [[], classes(9), classes(500)]) {
      const contexts = storageContexts(wanted);
      const asScp = new Set(contexts.map(({ abstractSyntaxUid }) => abstractSyntaxUid));
      const pdu = encodeAssociateRequest('P'.repeat(16), 'G'.repeat(16), contexts, asScp);
      expect(pdu.length).toBeLessThan(LIMITS.associateRequestBytesMax);
      expect(contexts.length + 1).toBeLessThanOrEqual(128);
    }
  });
});
