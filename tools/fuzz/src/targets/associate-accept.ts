/**
 * Target: the SCU's reading of A-ASSOCIATE-AC.
 * Properties: only refusals of the catalogue; what is understood is bounded by our own limits.
 * Source: PS3.8 9.3.3 and annex D.
 */
import { ok } from 'node:assert';
import { LIMITS } from '@aifi/shared-kernel';
import { UPPER_LAYER_TOKENS } from '../dicom-tokens.js';
import { outcomeOf, type FuzzTarget } from '../fuzz-target.js';
import { internalModule } from '../internal-module.js';
import { associateAcceptPdu, withPduLength } from './upper-layer-messages.js';

interface Terms {
  readonly transferSyntaxes: ReadonlyMap<number, string>;
  readonly pduBytesMax: number;
}
const FILE = 'libs/dicom/dimse/src/associate.ts';
const { decodeAssociateAccept } = await internalModule<{
  decodeAssociateAccept(pdu: Buffer): Terms;
}>(FILE, ['decodeAssociateAccept']);

export const associateAcceptTarget: FuzzTarget = {
  name: 'associate-accept',
  covers: [FILE],
  maxBytes: 6 + LIMITS.associateRequestBytesMax + 16,
  tokens: UPPER_LAYER_TOKENS,
  repair: withPduLength,
  run(input) {
    const outcome = outcomeOf(() => decodeAssociateAccept(Buffer.from(input)));
    if (!outcome.accepted) return;
    const { transferSyntaxes, pduBytesMax } = outcome.value;
    ok(pduBytesMax > 0 && pduBytesMax <= LIMITS.pduSendBytesMax, 'length of a PDU');
    ok(transferSyntaxes.size <= 256, 'more contexts than ids');
  },
  *seeds() {
    yield associateAcceptPdu([0], 16_384);
    yield associateAcceptPdu([0, 3, 4, 0], 0);
    yield associateAcceptPdu([1], 131_072);
  },
};
