/**
 * The data dictionary as a table in code.
 * Decides which VR stands where PS3.6 leaves it open ("US or SS", "OB or OW", "US or OW"): the
 * bytes are the same. Source: PS3.6 6, in the copy of dcmjs.
 */
import dcmjs from 'dcmjs';

const HEAD = `/**
 * Data dictionary: tag, VR and keyword of every standard attribute, a line each.
 * Made by \`npm run generate\` from the dcmjs copy of PS3.6; loading that itself takes longer than
 * pseudonymising a study.
 */
export const DICTIONARY = \`
`;

export function settledVr(vr) {
  if (vr === 'xs') return 'US';
  if (vr === 'ox' || vr === 'lt') return 'OW';
  return /^[A-Z]{2}$/.test(vr) ? vr : 'UN';
}

/** Lines of \`ggggeeee VR Keyword\`; rows of repeating groups have no tag and are left out. */
export function dictionaryLines() {
  // Its `dictionary` is a proxy without enumerable keys; the name map lists every row.
  const rows = Object.values(dcmjs.data.DicomMetaDictionary.nameMap);
  return rows.flatMap(({ tag, vr, name }) => {
    const match = /^\(([0-9A-Fa-f]{4}),([0-9A-Fa-f]{4})\)$/.exec(tag);
    return match ? [`${match[1]}${match[2]}`.toUpperCase() + ` ${settledVr(vr)} ${name}`] : [];
  });
}

export const dictionaryTable = () => `${HEAD}${dictionaryLines().join('\n')}\n\`;\n`;
