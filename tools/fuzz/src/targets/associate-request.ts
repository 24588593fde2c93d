/**
 * Target: the strict decoder of A-ASSOCIATE-RQ.
 * Properties: only refusals of the catalogue; what is accepted consists of whole items, keeps its
 * meaning in the canonical form, and that form is stable.
 * Source: PS3.8 9.3.2 and annex D; PS3.7 D.3.3.
 */
import { deepStrictEqual, ok } from 'node:assert';
import { decodeAssociateRequest, type AssociateRequest } from '@aifi/dicom-dimse';
import { LIMITS } from '@aifi/shared-kernel';
import { UPPER_LAYER_TOKENS } from '../dicom-tokens.js';
import { outcomeOf, type FuzzTarget } from '../fuzz-target.js';
import { internalModule } from '../internal-module.js';
import { associateRequestPdu, isFilledWithItems, withPduLength } from './upper-layer-messages.js';

const FILE = 'libs/dicom/dimse/src/associate-request.ts';
const { encodeCanonicalRequest } = await internalModule<{
  encodeCanonicalRequest(request: AssociateRequest): Buffer;
}>(FILE, ['encodeCanonicalRequest']);

/** Header of the PDU and fixed fields before the first item. @unit bytes */
const ITEMS_OFFSET = 6 + 68;

function run(input: Uint8Array): void {
  const outcome = outcomeOf(() => decodeAssociateRequest(Buffer.from(input)));
  if (!outcome.accepted) return;
  const request = outcome.value;
  const ids = request.contexts.map(({ id }) => id);
  ok(
    ids.every((id, index) => id % 2 === 1 && id > (ids[index - 1] ?? 0)),
    'context ids',
  );
  ok(isFilledWithItems(Buffer.from(input.subarray(ITEMS_OFFSET))), 'an item does not fit');
  const canonical = encodeCanonicalRequest(request);
  const again = decodeAssociateRequest(canonical);
  // Roles are answered by ourselves: the library does not see them.
  deepStrictEqual({ ...again, roles: request.roles }, request, 'the canonical form differs');
  deepStrictEqual(encodeCanonicalRequest(again), canonical, 'the canonical form is not stable');
}

export const associateRequestTarget: FuzzTarget = {
  name: 'associate-request',
  covers: [FILE],
  maxBytes: 6 + LIMITS.associateRequestBytesMax + 16,
  tokens: UPPER_LAYER_TOKENS,
  run,
  repair: withPduLength,
  *seeds() {
    yield associateRequestPdu({ contexts: 1 });
    yield associateRequestPdu({ contexts: 3, roles: true });
    yield associateRequestPdu({ contexts: 128 });
    yield associateRequestPdu({ contexts: 2, extended: true });
  },
};
