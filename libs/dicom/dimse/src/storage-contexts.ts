/**
 * What we propose to take on the association of a C-GET.
 * Decides one context for each class and syntax where they fit, so that each object can come in the
 * very syntax in which it lies; where there are too many classes, one context for each of them.
 * Invariant: at most 127 beside the one we ask on. Source: PS3.4 C.5.3.1; PS3.8 9.3.2.2.
 */
import type { ProposedContext } from './associate.js';

/** PS3.8 9.3.2.2: 128 odd ids, one of them for the question. */
const CONTEXTS_MAX = 127;

const base = '1.2.840.10008.1.2';
/** PS3.6 annex A: native, RLE, JPEG, JPEG-LS, JPEG 2000, high-throughput, MPEG-4. */
const SYNTAXES = ['.1', '', '.4.70', '.4.90', '.4.91', '.4.80', '.4.81', '.4.50', '.4.51']
  .concat(['.4.57', '.5', '.4.201', '.1.99', '.4.102'])
  .map((last) => `${base}${last}`);

/** What images are made of in practice, for a PACS that does not tell the classes of a study. */
const USUAL_CLASSES = [
  ...['1', '1.1', '1.1.1', '1.2', '1.2.1', '2', '2.1', '2.2', '3.1', '4', '4.1', '4.2', '4.3'],
  ...['4.4', '6.1', '6.2', '7', '7.1', '7.2', '7.3', '7.4', '11.1', '12.1', '12.1.1', '12.2'],
  ...['13.1.3', '20', '30', '66.4', '77.1.4', '88.11', '88.22', '88.33', '88.34', '88.59'],
  ...['88.67', '104.1', '128', '130', '481.1', '481.2', '481.3', '481.5'],
].map((last) => `1.2.840.10008.5.1.4.1.1.${last}`);

/** `classes`: those of the study as far as the PACS tells. */
export function storageContexts(classes: readonly string[]): ProposedContext[] {
  const known = [...new Set(classes)].filter((uid) => uid !== '');
  const wanted = known.length === 0 ? USUAL_CLASSES : known.slice(0, CONTEXTS_MAX);
  const areApart = wanted.length * SYNTAXES.length <= CONTEXTS_MAX;
  return wanted.flatMap((abstractSyntaxUid) =>
    areApart
      ? SYNTAXES.map((syntax) => ({ abstractSyntaxUid, transferSyntaxUids: [syntax] }))
      : [{ abstractSyntaxUid, transferSyntaxUids: SYNTAXES }],
  );
}
