/**
 * `npm run generate`: TypeScript from the proto files, documents from the tables in code.
 * Decides that what is generated is committed and made by one command only.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { dictionaryTable } from './src/dictionary.mjs';

const dictionary = join(import.meta.dirname, '../../libs/dicom/core/src/dictionary.table.ts');
writeFileSync(dictionary, dictionaryTable());

const cwd = join(import.meta.dirname, '../../libs/contracts/proto');
for (const args of [['lint'], ['generate']]) {
  const { status } = spawnSync('buf', args, { cwd, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

// Documents come from the compiled tables, and from what these are compiled against.
const environment = { ...process.env, NX_DAEMON: 'false', NX_NO_CLOUD: 'true', NX_TUI: 'false' };
const projects = [
  ...['shared-kernel', 'contracts-manifests', 'dicom-core'],
  ...['access-authorisation', 'dicom-deidentification'],
].join(',');
const built = spawnSync('nx', ['run-many', '-t', 'build', '-p', projects], {
  ...{ cwd: join(import.meta.dirname, '../..'), stdio: 'inherit', env: environment },
});
if (built.status !== 0) process.exit(built.status ?? 1);
const { accessMatrixMarkdown } =
  await import('../../libs/access/authorisation/dist/access-matrix.js');
const { conformanceMarkdown } =
  await import('../../libs/dicom/deidentification/dist/conformance-tables.js');
for (const [path, text] of [
  ['compliance/access-matrix.md', accessMatrixMarkdown()],
  ['conformance/de-identification.md', conformanceMarkdown()],
]) {
  const file = join(import.meta.dirname, '../../docs', path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}
