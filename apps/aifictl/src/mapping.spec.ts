/**
 * Goal: a catalogue is checked, imported, copied and rolled back from the command line, and what is
 * wrong is told by line and by the exit code. Method: the whole program with made-up answers; the
 * text word for word.
 */
import { describe, expect, it } from '@jest/globals';
import { gunzipSync } from 'node:zlib';
import type { CataloguePlanView, CatalogueVersionView } from '@aifi/contracts-rest';
import { aProblem, aTerminal, GATEWAY, T0, type TestAnswer } from '../test/answers.js';
import {
  mappingCoverageDocumentSchema,
  mappingDocumentSchema,
  mappingExportDocumentSchema,
  mappingImportDocumentSchema,
} from './intake-documents.js';
import { runAifictl } from './run.js';

const CATALOGUE = `${GATEWAY}/api/v1/catalogue`;
const at = ['--gateway', GATEWAY];
const plan: CataloguePlanView = {
  ...{ codes: 3, added: 1, changed: 1, removed: 0, errors: 0, warnings: 1 },
  findings: [{ line: 4, column: 'product', problem: 'unknown-product', isError: false }],
};
const version: CatalogueVersionView = {
  ...{ version: 2, kind: 'import', ofVersion: 2, codes: 3, sha256: 'ab'.repeat(32) },
  ...{ createdAtMs: T0, isKept: true },
};
const CSV = 'code;bodyPart\nA;CHEST\n';

async function run(args: readonly string[], answers: Readonly<Record<string, TestAnswer>>) {
  const terminal = aTerminal(answers);
  terminal.disk.set('catalogue.csv', CSV);
  const code = await runAifictl(['mapping', ...args, ...at], terminal);
  return { code, terminal, text: terminal.printed() };
}

describe('aifictl mapping import', () => {
  const args = ['import', 'catalogue.csv'];
  it('sends the bytes of the file compressed, and says what is in force', async () => {
    const answers = { [`${CATALOGUE}/versions`]: { ...plan, version } };
    const { code, text, terminal } = await run(args, answers);
    expect([code, text]).toEqual([
      0,
      '3 codes: 1 new, 1 changed, 0 gone\n' +
        '  line 4, product: the gateway does not know this product now\n' +
        'version 2 is in force\n',
    ]);
    const { method, body, headers } = terminal.asked[0]!;
    expect([method, headers.get('idempotency-key')]).toEqual(['POST', 'key-of-this-order']);
    const { file } = JSON.parse(body) as { file: string };
    expect(gunzipSync(Buffer.from(file, 'base64')).toString()).toBe(CSV);
  });
  it('changes nothing in a dry run', async () => {
    const answers = { [`${CATALOGUE}/checks`]: plan };
    const { code, text, terminal } = await run([...args, '--dry-run', '--json'], answers);
    const document = mappingImportDocumentSchema.parse(JSON.parse(text));
    expect([code, document]).toEqual([
      0,
      {
        ...{ schema: 'aifictl.mapping-import.v1', server: GATEWAY, file: 'catalogue.csv' },
        ...{ isDryRun: true, plan, version: null, fault: null },
      },
    ]);
    expect(terminal.asked).toHaveLength(1);
  });
  it.each([['--dry-run'], []])('exits 1 for a wrong line %s', async (...more) => {
    const finding = { line: 2, column: 'bodyPart', problem: 'unknown-body-part', isError: true };
    const wrong = { ...plan, errors: 120, warnings: 0, findings: [finding] };
    const answers = {
      [`${CATALOGUE}/checks`]: wrong,
      [`${CATALOGUE}/versions`]: { ...wrong, version: null },
    };
    const { code, text } = await run([...args, ...more], answers);
    expect([code, text]).toEqual([
      1,
      '3 codes: 1 new, 1 changed, 0 gone\n' +
        '! line 2, bodyPart: no body part of DICOM (Body Part Examined), such as CHEST or HAND\n' +
        '  and 119 more\n! not imported: 120 wrong lines\n',
    ]);
  });
  it('says that nothing is to be changed', async () => {
    const answers = { [`${CATALOGUE}/versions`]: { ...plan, version: null } };
    const { code, text } = await run(args, answers);
    expect([code, text.endsWith('nothing to change\n')]).toEqual([0, true]);
  });
  it('exits 2 without a file, 1 when it is refused', async () => {
    expect((await run(['import', 'nowhere.csv'], {})).code).toBe(2);
    const refused = await run(args, { [`${CATALOGUE}/versions`]: aProblem(403, 'FORBIDDEN') });
    expect([refused.code, refused.text]).toEqual([
      ...[1, `! ${GATEWAY} refuses: no role of yours allows this\n`],
    ]);
  });
});

describe('aifictl mapping list and rollback', () => {
  const back = { ...version, version: 3, kind: 'rollback', ofVersion: 1, isKept: false } as const;
  it('shows the versions', async () => {
    const { code, text } = await run(['list'], { [CATALOGUE]: { items: [back, version] } });
    expect([code, text.split('\n')]).toEqual([
      0,
      [
        'version  since (UTC)          made by        codes  digest        kept',
        '3        2026-11-20 10:22:00  rollback to 1  3      abababababab  no',
        '2        2026-11-20 10:22:00  import         3      abababababab  yes',
        '',
      ],
    ]);
    expect((await run(['list'], { [CATALOGUE]: { items: [] } })).text).toBe('none\n');
  });
  it('rolls back with a reason', async () => {
    const args = ['rollback', '1', '--reason', 'the side was wrong', '--json'];
    const { code, text, terminal } = await run(args, { [`${CATALOGUE}/rollbacks`]: back });
    const document = mappingDocumentSchema.parse(JSON.parse(text));
    expect([code, document.versions]).toEqual([0, [back]]);
    const body = { version: 1, reason: 'the side was wrong' };
    expect(JSON.parse(terminal.asked[0]!.body)).toEqual(body);
    expect((await run(['rollback', 'x', '--reason', 'y'], {})).code).toBe(2);
    expect((await run(['rollback', '1'], {})).code).toBe(2);
  });
});

describe('aifictl mapping export', () => {
  const answers = {
    [`${CATALOGUE}/export?version=2`]: () => new Response(CSV),
    [`${CATALOGUE}/export`]: () => new Response(CSV),
  };
  it('writes the bytes of the gateway, to a file or to standard output', async () => {
    expect(await run(['export'], answers)).toMatchObject({ code: 0, text: CSV });
    const args = ['export', '--version', '2', '--out', 'copy.csv', '--json'];
    const { code, text, terminal } = await run(args, answers);
    const document = mappingExportDocumentSchema.parse(JSON.parse(text));
    expect([code, document.bytes, terminal.disk.get('copy.csv')]).toEqual([0, CSV.length, CSV]);
  });
  it('exits 1 when there is no such version', async () => {
    const missing = { [`${CATALOGUE}/export?version=9`]: null };
    const { code, text } = await run(['export', '--version', '9'], missing);
    expect([code, text]).toEqual([1, `! ${GATEWAY} does not know this version\n`]);
  });
});

describe('aifictl mapping coverage', () => {
  const coverage = {
    ...{ days: 7, studies: 12, isWhole: false, withCode: 9, mapped: 6 },
    unmapped: [{ code: '99RIS:CT12', studies: 3 }],
  };
  it('tells the share and what is missing', async () => {
    const answers = { [`${CATALOGUE}/coverage?days=7`]: coverage };
    const { code, text } = await run(['coverage', '--days', '7'], answers);
    expect([code, text.split('\n')]).toEqual([
      0,
      [
        '12 studies in 7 days (there were more)',
        'with a procedure code: 9; of those in the catalogue: 6 (66 %)',
        'not in the catalogue  studies',
        '99RIS:CT12            3',
        '',
      ],
    ]);
    const json = await run(['coverage', '--days', '7', '--json'], answers);
    expect(mappingCoverageDocumentSchema.parse(JSON.parse(json.text)).coverage).toEqual(coverage);
    expect((await run(['coverage', '--days', '91'], answers)).code).toBe(2);
  });
});
