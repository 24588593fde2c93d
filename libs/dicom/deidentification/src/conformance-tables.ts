/**
 * Conformance tables: the confidentiality part of the conformance statement, as Markdown.
 * Decides nothing of its own: it prints the tables that the engine runs by, so that the statement
 * cannot say something else than the code does. `npm run generate` writes the file; a test holds
 * the committed one against it. Source: PS3.2 N.8.4.4, N.11.2.6; PS3.15 Table E.1-1.
 */
import { keywordOf, tagOf, vrOf } from '@aifi/dicom-core';
import { CONFIDENTIALITY_PROFILE, PROFILE_EDITION } from './confidentiality-profile.table.js';
import { CHARACTERISTICS, CLASS_FAMILIES, type Action } from './keep-list.js';
import { CLAIMED_OPTIONS, DEIDENTIFICATION_METHOD, UNCLAIMED_OPTIONS } from './markers.js';
import { PROFILE_DEVIATIONS } from './profile-deviations.table.js';
import { profileRowOf } from './profile-row.js';
import { RE_IDENTIFIER_ACTIONS, type ReIdentifierAction } from './re-identifier-actions.table.js';

const line = (...cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
const rule = (count: number): string => `|${' --- |'.repeat(count)}`;
const hexOf = (tag: number): string => tag.toString(16).toUpperCase().padStart(8, '0');
const tagText = (hex: string): string => `(${hex.slice(0, 4)},${hex.slice(4)})`;

/** Attributes that the engine adds, or of which the value is ours whatever came in. */
const MARKERS = [
  ...['PatientIdentityRemoved', 'DeidentificationMethod', 'DeidentificationMethodCodeSequence'],
  ...['LongitudinalTemporalInformationModified', 'RecognizableVisualFeatures'],
  'ContributingEquipmentSequence',
].map(tagOf);
const characteristicTags: ReadonlySet<number> = new Set(CHARACTERISTICS.map(([, tag]) => tag));

/** What the de-identifier does with an attribute under an action of the keep-lists. */
function deIdentifierWords(tag: number, action: Action): string {
  const vr = vrOf(tag);
  if (action === 'Z') return 'emptied';
  if (action === 'C') return 'reduced to the vocabulary';
  if (action === 'U') return 'remapped';
  if (action === 'D') return 'replaced';
  if (vr === 'DA' || vr === 'DT') return 'shifted; gone if the contract wants no dates';
  if (vr === 'TM') return 'kept; gone if the contract wants no dates';
  if (vr === 'UI') return 'kept if of the standard, else remapped';
  if (characteristicTags.has(tag)) return 'kept if the contract retains it';
  return vr === 'SQ' ? 'kept, its items by this table' : 'kept';
}

/** The first line of the re-identifier's table that speaks of this attribute. */
export function reIdentifierActionOf(tag: number): ReIdentifierAction {
  return RE_IDENTIFIER_ACTIONS.find(({ fits }) => fits(tag))!;
}

function keptRows(): string[] {
  const tags = new Set([...CLASS_FAMILIES.flatMap(({ list }) => [...list.keys()]), ...MARKERS]);
  return [...tags]
    .sort((a, b) => a - b)
    .map((tag) => {
      const row = profileRowOf(tag);
      const actions = CLASS_FAMILIES.map(({ list }) => list.get(tag));
      const words = [...new Set(actions.filter((action) => action !== undefined))].map((action) =>
        deIdentifierWords(tag, action),
      );
      return line(
        tagText(hexOf(tag)),
        keywordOf(tag),
        row?.[2] ?? '–',
        row?.[3] || '–',
        ...actions.map((action) => action ?? (MARKERS.includes(tag) ? 'D' : 'X')),
        words.join('; ') || 'written by us',
        reIdentifierActionOf(tag).action,
      );
    });
}

/** Rows of the profile that no keep-list names: removed in every object. */
function removedRows(): string[] {
  return CONFIDENTIALITY_PROFILE.filter(([hex]) => !isListed(hex)).map(([hex, name, code]) =>
    line(/^[0-9A-Fx]{8}$/.test(hex) ? tagText(hex) : hex, name, code),
  );
}
function isListed(hex: string): boolean {
  if (!/^[0-9A-F]{8}$/.test(hex)) return false;
  const tag = Number.parseInt(hex, 16);
  return CLASS_FAMILIES.some(({ list }) => list.has(tag));
}

const INTRODUCTION = `# De-identification and re-identification: attributes and options

Written by \`npm run generate\` from the tables that the engine runs by
(\`libs/dicom/deidentification\`); not to be edited. Profile: PS3.15 Table E.1-1, edition
${PROFILE_EDITION}, ${CONFIDENTIALITY_PROFILE.length} rows. De-identification Method:
\`${DEIDENTIFICATION_METHOD}\`.

Whatever is in none of these tables is removed: private, retired, unknown and new attributes, group
lengths, overlays, curves, icons, signatures and padding. File meta and preamble are written anew.
The tables hold at every depth of a sequence. Every kept text is searched for social security
numbers and for the identifiers of its own patient; a hit holds the object.
`;

const RE_IDENTIFIER_INTRODUCTION = `The gateway takes in results only: objects that the hub made
from the images. Made from the lists that the re-identification itself runs by; the first line that
fits holds. UIDs and dates are handled alike at every depth of a sequence, the other lines speak of
the top level.
`;

function optionRows(): string[] {
  return [
    ...CLAIMED_OPTIONS.map(({ code, meaning, when }) => line(code, meaning, 'claimed', when)),
    ...UNCLAIMED_OPTIONS.map(([code, name, why]) => line(code, name, 'never claimed', why)),
  ];
}

/** The whole document. */
export function conformanceMarkdown(): string {
  const families = CLASS_FAMILIES.map(({ name }) => name);
  const columns = ['Tag', 'Attribute', 'E.1-1', 'Options', ...families];
  return [
    INTRODUCTION,
    '## Options (CID 7050)\n',
    line('Code', 'Option', 'Claim', 'When, or why not'),
    rule(4),
    ...optionRows(),
    '\n## SOP classes\n',
    line('Family', 'SOP classes', 'Leaves when the pixel gate has not looked'),
    rule(3),
    ...CLASS_FAMILIES.map(({ name, sopClassUids, needsExamination }) =>
      line(
        name,
        sopClassUids.join(', '),
        needsExamination ? 'never' : 'if no burned-in text is declared',
      ),
    ),
    '\nAn object of any other SOP class is refused.\n',
    '## Attributes that may leave\n',
    'K keep, C clean, D replace, Z empty, U remap, X remove, per family of SOP classes.\n',
    line(...columns, 'De-identifier', 'Re-identifier'),
    rule(columns.length + 2),
    ...keptRows(),
    '\n## What the re-identifier does\n',
    RE_IDENTIFIER_INTRODUCTION,
    line('Attributes', 'Action', 'How'),
    rule(3),
    ...RE_IDENTIFIER_ACTIONS.map(({ attributes, action, words }) =>
      line(attributes, action, words),
    ),
    '\n## Deviations from Table E.1-1\n',
    line('Attributes', 'Asked', 'Done', 'Reason', 'Clause'),
    rule(5),
    ...PROFILE_DEVIATIONS.map((deviation) =>
      line(
        ...[deviation.attributes, deviation.asked, deviation.done, deviation.reason],
        deviation.clause,
      ),
    ),
    '\n## Attributes of Table E.1-1 that never leave\n',
    line('Tag', 'Name', 'E.1-1'),
    rule(3),
    ...removedRows(),
    '',
  ].join('\n');
}
