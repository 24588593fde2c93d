/**
 * Goal: both renderings are what their standards say, by programs that we did not write.
 * Method: xmllint with the schema of PS3.15 A.5.1 (fixtures/dicom-audit-message.rng), and the FHIR
 * models of fhir.resources, over a record of every act and records with hostile text.
 */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { hasPeers, temporaryFolder } from '@aifi/shared-testing';
import { FHIR_PYTHON, hasFhir } from '../../../../deploy/services/fhir/install.mjs';
import { toDicomAuditMessage } from './dicom-audit-message.js';
import { toFhirAuditEvent } from './fhir-audit-event.js';
import { aDraft, ALL_ACTS, draftOf, sealAll, SOURCE } from './test-trail.js';

const fileOf = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const SCHEMA = fileOf('../fixtures/dicom-audit-message.rng');
const READER = fileOf('../../../../deploy/services/fhir/read-audit-events.py');
const folder = temporaryFolder('renderings');
afterAll(() => folder.remove());

// The same text in every field that people or the wire fill; a seed, so that a failure repeats.
const texts = fc.sample(fc.string({ unit: 'binary', maxLength: 60 }), { seed: 4, numRuns: 100 });
const drafts = [
  ...ALL_ACTS.map(draftOf),
  ...ALL_ACTS.map((act) => ({ ...draftOf(act), outcome: 'refused' as const, code: 'FORBIDDEN' })),
  aDraft({ userName: '', objectId: '', objectType: '', sourceAddress: '', correlationId: '' }),
  ...texts.map((text) =>
    aDraft({
      ...{ userId: text || 'x', userName: text, objectId: text, patientId: text, reason: text },
      ...{ correlationId: text, role: text || null, responsibleUserId: text || null },
      ...{ objectType: text.slice(0, 10), detail: { [text]: text } },
    }),
  ),
];
const records = sealAll(drafts);

describe.each([['PS3.15 A.5', hasPeers('xmllint')]] as const)('%s', (_, hasPeer) => {
  (hasPeer ? it : it.skip)('every DICOM audit message is valid', () => {
    const files = records.map((record, index) => {
      const file = join(folder.path, `${index}.xml`);
      writeFileSync(file, toDicomAuditMessage(record, SOURCE));
      return file;
    });
    const words = ['--noout', '--relaxng', SCHEMA, ...files];
    const { status, stderr } = spawnSync('xmllint', words, { encoding: 'utf8' });
    expect(stderr.split('\n').filter((line) => line !== '' && !/validates$/.test(line))).toEqual(
      [],
    );
    expect(status).toBe(0);
  });

  (hasPeer ? it : it.skip)('the schema refuses a message without its event', () => {
    const file = join(folder.path, 'wrong.xml');
    const message = toDicomAuditMessage(records[0]!, SOURCE);
    writeFileSync(file, message.replace(/<EventID [^>]*>/, ''));
    const words = ['--noout', '--relaxng', SCHEMA, file];
    expect(spawnSync('xmllint', words).status).not.toBe(0);
  });
});

describe('HL7 FHIR', () => {
  const has = hasFhir() || process.env['CI'] === 'true';
  const read = (lines: readonly object[]) =>
    spawnSync(FHIR_PYTHON, ['-I', READER], {
      encoding: 'utf8',
      input: lines.map((line) => `${JSON.stringify(line)}\n`).join(''),
    });
  (has ? it : it.skip)('every audit event is valid', () => {
    const { stdout, stderr } = read(records.map((record) => toFhirAuditEvent(record, SOURCE)));
    expect(stderr).toBe('');
    expect(Number(stdout)).toBe(records.length);
  });
  (has ? it : it.skip)('the reader refuses an event without its source', () => {
    const { source, ...event } = toFhirAuditEvent(records[0]!, SOURCE);
    expect(source).toBeDefined();
    expect(read([event]).status).toBe(1);
  });
});
