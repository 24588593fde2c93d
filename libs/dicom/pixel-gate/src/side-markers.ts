/**
 * Side markers: words that stand on radiographs and say nothing about who is on them.
 * Decides which text a radiograph may carry out of the house. Upper case, without points and signs.
 * Source: words in use on films in the Netherlands and in English; a site may not add to them,
 * since a word that is also a name would open the gate.
 */
const MARKERS = new Set([
  ...['L', 'R', 'LI', 'RE', 'LT', 'RT', 'LINKS', 'RECHTS', 'LEFT', 'RIGHT'],
  ...['AP', 'PA', 'LAT', 'LATERAAL', 'LATERAL', 'OBL', 'OBLIQUE', 'AXIAAL', 'AXIAL', 'TANG'],
  ...['STAAND', 'STA', 'LIGGEND', 'ZITTEND', 'BED', 'ERECT', 'SUPINE', 'PRONE', 'UPRIGHT'],
  ...['SITTING', 'STANDING', 'DECUB', 'DECUBITUS', 'MOBIEL', 'MOBILE', 'PORTABLE', 'BELAST'],
  ...['WEIGHT', 'BEARING', 'ONBELAST', 'IN', 'EX', 'INSP', 'EXP', 'FLEXIE', 'EXTENSIE'],
  ...['FLEXION', 'EXTENSION', 'CC', 'MLO', 'ML', 'LM', 'RCC', 'LCC', 'RMLO', 'LMLO', 'XCCL'],
  ...['CM', 'MM', 'KV', 'MAS'],
]);

/** A word that the text detector read, as one of these. */
export function isSideMarker(word: string): boolean {
  return MARKERS.has(word.toUpperCase().replace(/[^A-Z]/g, '')) && !/\d/.test(word);
}
