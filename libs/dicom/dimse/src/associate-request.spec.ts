/**
 * Goal: an A-ASSOCIATE-RQ is decoded exactly or refused; no bytes do anything else.
 * Method: built requests, requests with any byte changed, cut or added, and noise (fast-check).
 */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { AifiError } from '@aifi/shared-kernel';
import {
  APPLICATION_CONTEXT,
  associate,
  COMMITMENT,
  context,
  CT,
  EXPLICIT,
  IMPLICIT,
  MR,
  role,
  userInformation,
} from '../test/wire.js';
import { decodeAssociateRequest, encodeCanonicalRequest } from './associate-request.js';

describe('decodeAssociateRequest', () => {
  it('reads what is proposed, contexts by ascending id', () => {
    const pdu = associate({
      called: ' SUT',
      calling: 'PEER\0',
      contexts: [context(5, MR), context(1, CT, [EXPLICIT, `${IMPLICIT}\0`])],
      userInformation: userInformation(role(COMMITMENT, 0, 1)),
    });
    expect(decodeAssociateRequest(pdu)).toEqual({
      calledAeTitle: 'SUT',
      callingAeTitle: 'PEER',
      applicationContext: APPLICATION_CONTEXT,
      contexts: [
        { id: 1, abstractSyntaxUid: CT, transferSyntaxUids: [EXPLICIT, IMPLICIT] },
        { id: 5, abstractSyntaxUid: MR, transferSyntaxUids: [EXPLICIT] },
      ],
      maximumLength: 16_384,
      implementationClassUid: '1.2.3.4',
      roles: [{ sopClassUid: COMMITMENT, isScu: false, isScp: true }],
    });
  });

  it('says the same of its own canonical form, roles apart', () => {
    const request = decodeAssociateRequest(associate({ contexts: [context(9), context(3, MR)] }));
    expect(decodeAssociateRequest(encodeCanonicalRequest(request))).toEqual(request);
  });

  it.each([
    ['a role selection twice', userInformation(role(CT, 1, 1), role(CT, 0, 1))],
    ['a role that is neither 0 nor 1', userInformation(role(CT, 2, 0))],
  ])('refuses %s', (_, userInfo) => {
    expect(() => decodeAssociateRequest(associate({ userInformation: userInfo }))).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    );
  });

  it('refuses anything else with INVALID_ARGUMENT or LIMIT_EXCEEDED, in no time', () => {
    const sound = associate();
    const change = fc.record({
      at: fc.nat(sound.length - 1),
      remove: fc.nat(6),
      insert: fc.uint8Array({ maxLength: 6 }),
      isLengthKept: fc.boolean(),
    });
    const changed = fc.array(change, { minLength: 1, maxLength: 3 }).map((changes) => {
      let bytes = sound;
      for (const { at, remove, insert, isLengthKept } of changes) {
        bytes = Buffer.concat([bytes.subarray(0, at), insert, bytes.subarray(at + remove)]);
        if (!isLengthKept && bytes.length >= 6) bytes.writeUInt32BE(bytes.length - 6, 2);
      }
      return bytes;
    });
    const noise = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes));
    let refused = 0;
    fc.assert(
      fc.property(fc.oneof(changed, noise), (bytes) => {
        try {
          const { contexts } = decodeAssociateRequest(bytes);
          const ids = contexts.map(({ id }) => id);
          return (
            ids.length > 0 && ids.every((id, i) => id % 2 === 1 && (i === 0 || id > ids[i - 1]!))
          );
        } catch (error) {
          refused += 1;
          const { code } = error as AifiError;
          return error instanceof AifiError && /^(INVALID_ARGUMENT|LIMIT_EXCEEDED)$/.test(code);
        }
      }),
      { numRuns: 2_000 },
    );
    expect(refused).toBeGreaterThan(500);
  });
});
