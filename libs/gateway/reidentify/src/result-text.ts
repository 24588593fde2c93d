/**
 * Text of a result in the character set of the study.
 * Decides that what the hub wrote (UTF-8) is written anew in the set that the study's identity
 * declares, when that has every character. Invariants: ASCII keeps its bytes; what is written reads
 * back as the same text; a text that does not fit, or does not decode, is never cut or replaced.
 * Source: results specification 4.1.2, 4.5; PS3.3 C.12.1.1.2; PS3.5 6.1.2.
 */
import { decodeText, type DicomDataset } from '@aifi/dicom-core';
import { encodeText } from '@aifi/gateway-vault';
import { AifiError } from '@aifi/shared-kernel';

const TEXT_VRS: ReadonlySet<string> = new Set(['LO', 'LT', 'PN', 'SH', 'ST', 'UC', 'UT']);
const ESCAPE = 0x1b;
const DELETE = 0x7f;

/** Rewrites all text, items included; false when some does not fit: then it is not to be used. */
export function transcodeText(
  dataset: DicomDataset,
  from: readonly string[],
  to: readonly string[],
): boolean {
  for (const { tag, vr, value } of [...dataset]) {
    if (!(value instanceof Uint8Array)) {
      for (const item of value) {
        // An item may declare a set of its own; from here on it has the one of the study.
        const own = item.has('SpecificCharacterSet') ? item.characterSets : from;
        if (!transcodeText(item, own, to)) return false;
        item.delete('SpecificCharacterSet');
      }
    } else if (TEXT_VRS.has(vr) && !isAscii(value)) {
      const anew = transcoded(value, { vr, from, to });
      if (!anew) return false;
      dataset.put({ tag, vr, value: anew });
    }
  }
  return true;
}

function isAscii(value: Uint8Array): boolean {
  return value.every((byte) => byte < DELETE && byte !== ESCAPE);
}

interface Sets {
  readonly vr: string;
  readonly from: readonly string[];
  readonly to: readonly string[];
}
function transcoded(value: Uint8Array, { vr, from, to }: Sets): Buffer | undefined {
  let text: string;
  try {
    text = decodeText(value, from, vr).replace(/ +$/, '');
  } catch (error) {
    if (AifiError.from(error).code !== 'DICOM_MALFORMED') throw error;
    return undefined;
  }
  const bytes = encodeText(text, to, vr);
  if (!bytes) return undefined;
  return bytes.length % 2 === 0 ? bytes : Buffer.concat([bytes, Buffer.from(' ')]);
}
