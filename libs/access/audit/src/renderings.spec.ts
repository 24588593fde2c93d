/**
 * Goal: auditors of hospitals read our records with their own tools, and nobody forges a line.
 * Method: golden files of every act (UPDATE_FIXTURES=1 writes them anew, to be reviewed), and
 * records with hostile text. xmllint and fhir.resources check the same in renderings.integration.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { canonicalJson } from '@aifi/shared-kernel';
import type { AuditRecord } from '@aifi/contracts-rest';
import { toCsv, CSV_HEADER } from './audit-csv.js';
import { renderAudit } from './audit-export.js';
import { toDicomAuditMessage } from './dicom-audit-message.js';
import { toFhirAuditEvent } from './fhir-audit-event.js';
import { aDraft, ALL_ACTS, aTrail, draftOf, sealAll, SOURCE } from './test-trail.js';

const records = sealAll(ALL_ACTS.map(draftOf));
const recordOf = (act: string): AuditRecord => records.find((record) => record.act === act)!;
const HOSTILE = '"/><x>&\'\n\r\t\0\u001b[31m\u2028 ]]> =1+1';
const hostile = sealAll([
  aDraft({
    ...{ userId: HOSTILE, userName: HOSTILE, objectId: HOSTILE, objectType: '<b>', code: HOSTILE },
    ...{ reason: HOSTILE, patientId: HOSTILE, sourceAddress: HOSTILE, correlationId: HOSTILE },
    ...{ role: HOSTILE, responsibleUserId: HOSTILE, detail: { [HOSTILE]: HOSTILE } },
  }),
])[0]!;

function golden(name: string, text: string): string {
  const file = new URL(`../fixtures/${name}`, import.meta.url);
  if (process.env['UPDATE_FIXTURES'] === '1') writeFileSync(file, text);
  return readFileSync(file, 'utf8');
}

describe(toDicomAuditMessage.name, () => {
  it('is for every act as its golden file', () => {
    const text = records.map((record) => `${toDicomAuditMessage(record, SOURCE)}\n`).join('');
    expect(text).toBe(golden('v1-dicom-audit-messages.txt', text));
  });
  it.each([
    ['session.start', '110114', '110122', 'E'],
    ['session.end', '110114', '110123', 'E'],
    ['study-list.read', '110112', 'study-list.read', 'E'],
    ['identity.open', '110110', 'identity.open', 'R'],
    ['pixels.read', '110103', 'pixels.read', 'R'],
    ['audit.search', '110101', 'audit.search', 'R'],
    ['patient-flag.set', '110113', '110135', 'E'],
    ['study.export', '110106', 'study.export', 'R'],
  ])('%s is event %s, first type %s, action %s', (act, event, type, action) => {
    const message = toDicomAuditMessage(recordOf(act), SOURCE);
    expect(/<EventID csd-code="(\d+)"/.exec(message)?.[1]).toBe(event);
    expect(/<EventTypeCode csd-code="([^"]+)"/.exec(message)?.[1]).toBe(type);
    expect(/EventActionCode="(.)"/.exec(message)?.[1]).toBe(action);
  });
  it.each([
    ['success', '0'],
    ['refused', '4'],
    ['failed', '8'],
    ['unavailable', '12'],
  ] as const)('outcome %s is indicator %s', (outcome, indicator) => {
    const [record] = sealAll([aDraft({ outcome, code: 'FORBIDDEN' })]);
    expect(toDicomAuditMessage(record!, SOURCE)).toContain(`EventOutcomeIndicator="${indicator}"`);
  });
  it('names who asked, the second person, the server and the patient', () => {
    const message = toDicomAuditMessage(recordOf('linkage.read'), SOURCE);
    expect(message.match(/<ActiveParticipant /g)).toHaveLength(3);
    expect(message).toContain('UserID="sub-1" UserName="Robin Example" UserIsRequestor="true"');
    expect(message).toContain('UserID="sub-2" UserIsRequestor="false"');
    expect(message).toContain('ParticipantObjectID="P-0001" ParticipantObjectTypeCode="1"');
  });
  it('is one line without control characters, whatever people typed', () => {
    const message = toDicomAuditMessage(hostile, SOURCE);
    // eslint-disable-next-line no-control-regex -- that there are none is the rule
    expect(message).not.toMatch(/[\u0000-\u001f\u2028]/);
    expect(message).not.toContain('<x>');
  });
});

describe(toFhirAuditEvent.name, () => {
  it('is for every act as its golden file', () => {
    const text = records
      .map((record) => `${canonicalJson(toFhirAuditEvent(record, SOURCE))}\n`)
      .join('');
    expect(text).toBe(golden('v1-fhir-audit-events.ndjson', text));
  });
  it.each([
    ['study.read', 'IHE.BasicAudit.PatientRead'],
    ['models.read', 'IHE.BasicAudit.Read'],
    ['study-list.read', 'IHE.BasicAudit.Query'],
    ['approval.request', 'IHE.BasicAudit.PatientCreate'],
    ['approval.decide', 'IHE.BasicAudit.PatientUpdate'],
    ['patient-flag.remove', 'IHE.BasicAudit.PatientDelete'],
    ['patient-extract.read', 'IHE.BasicAudit.PrivacyDisclosure.Source'],
  ])('%s claims the profile %s', (act, profile) => {
    const { meta } = toFhirAuditEvent(recordOf(act), SOURCE);
    const base = 'https://profiles.ihe.net/ITI/BALP/StructureDefinition';
    expect(meta).toEqual({ profile: [`${base}/${profile}`] });
  });
  it('claims no profile for what was refused, and none for a server without client', () => {
    const [refused] = sealAll([aDraft({ outcome: 'refused', code: 'FORBIDDEN' })]);
    const event = toFhirAuditEvent(refused!, SOURCE);
    expect(event).toMatchObject({ outcome: '4', outcomeDesc: 'FORBIDDEN' });
    expect(event).not.toHaveProperty('meta');
    expect(toFhirAuditEvent(recordOf('study.export'), SOURCE)).not.toHaveProperty('meta');
  });
  it('says break the glass for pixels and patient request for an extract', () => {
    const purpose = (act: string) =>
      JSON.stringify(toFhirAuditEvent(recordOf(act), SOURCE)['purposeOfEvent']);
    expect(purpose('pixels.read')).toContain('"BTG"');
    expect(purpose('patient-extract.read')).toContain('"PATRQT"');
    expect(purpose('study.read')).toContain('"TREAT"');
  });
  it('has no empty text and no control character', () => {
    const [empty] = sealAll([
      aDraft({ userName: '', objectId: '', sourceAddress: '', correlationId: '' }),
    ]);
    for (const record of [hostile, empty!, ...records]) {
      const text = JSON.stringify(toFhirAuditEvent(record, SOURCE));
      expect(text).not.toContain('""');
      expect(text).not.toContain('\\u0000');
      expect(text).not.toContain('\\n');
    }
  });
});

describe(toCsv.name, () => {
  it('is one line of as many cells as the header', () => {
    const [cells, line] = [CSV_HEADER.split('","').length, toCsv(hostile)];
    expect(line.replaceAll('""', '').split('","')).toHaveLength(cells);
    expect(line.trimEnd()).not.toMatch(/[\r\n\t]/);
  });
  it.each(['=1+1', '+1', '-1', '@SUM(A1)', ' =1', '\t=1', '\uff1d1', '|calc', '%0'])(
    'makes no formula of %j',
    (reason) => {
      const [record] = sealAll([aDraft({ reason })]);
      expect(toCsv(record!)).toMatch(/,"'[^"]*","192\.0\.2\.10"/);
    },
  );
});

describe(renderAudit.name, () => {
  it('has no separator in a line of NDJSON that a reader could take for its end', async () => {
    const [record] = sealAll([aDraft({ reason: 'a\u2028b\u2029c' })]);
    for await (const line of renderAudit('ndjson', [record!], SOURCE)) {
      expect(line).not.toMatch(/[\u2028\u2029]/);
      expect(JSON.parse(line)).toEqual(record);
    }
    expect.assertions(2);
  });
  it('gives every record in every format, NDJSON as it was sealed', async () => {
    const trail = aTrail(3);
    for (const format of ['ndjson', 'fhir', 'dicom', 'csv'] as const) {
      const lines: string[] = [];
      for await (const line of renderAudit(format, trail, SOURCE)) lines.push(line);
      expect(lines).toHaveLength(format === 'csv' ? 4 : 3);
      if (format === 'ndjson') expect(lines.map((line) => JSON.parse(line))).toEqual(trail);
    }
  });
});
