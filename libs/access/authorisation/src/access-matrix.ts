/**
 * The access table as a document, for people who review it without reading code.
 * Decides nothing. Invariant: made from the table and the acts that the code runs on; a test keeps
 * docs/compliance/access-matrix.md equal to it (`npm run generate` writes it).
 */
import { ACCESS_OBJECTS, cellOf, type Cell } from './access-table.js';
import { ACTS, ruleOf, type Act } from './acts.js';
import { ROLES } from './roles.js';

const SCOPES = { own: 'own sites', all: 'all sites', acts: 'own acts', counts: 'counts' };

function cellText(cell: Cell): string {
  if (!cell) return '-';
  const reason = cell.reason ? ', with a reason' : '';
  return `${cell.letters.join('+')} ${SCOPES[cell.scope]}${reason}`;
}

function actText(act: Act): string {
  const { by, action, audited, stepUp, grantMs } = ruleOf(act);
  const who = typeof by === 'string' ? by : `${by.letter} of ${by.object}`;
  const two = grantMs === undefined ? '' : `second person, for ${grantMs / 60_000} min`;
  const needs = [stepUp ? 'fresh sign-in' : '', two].filter((part) => part !== '').join('; ');
  return `| \`${act}\` | ${who} | ${action} | ${audited ? 'yes' : 'no'} | ${needs} |`;
}

export function accessMatrixMarkdown(): string {
  const header = (cells: readonly string[]): string =>
    `| ${cells.join(' | ')} |\n|${'---|'.repeat(cells.length)}`;
  const rows = ROLES.map(
    (role) =>
      `| ${role} | ${ACCESS_OBJECTS.map((object) => cellText(cellOf(object, role))).join(' | ')} |`,
  );
  return `# Access matrix

Made by \`npm run generate\` from \`libs/access/authorisation\`; a test keeps it equal.
R see, W change (or ask), A agree as the second person, - refused. What is not here is refused.

${header(['role', ...ACCESS_OBJECTS])}
${rows.join('\n')}

## Acts
Each audited act leaves exactly one record; a refusal of somebody known always leaves one.

${header(['act', 'who may', 'DICOM action', 'audited', 'needs'])}
${(Object.keys(ACTS) as Act[]).map(actText).join('\n')}
`;
}
