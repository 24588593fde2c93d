/**
 * An export as a stream of text, in any of the formats of the interface.
 * Decides that every format is lines: NDJSON for the verifier, one FHIR resource, one DICOM message
 * or one row of CSV each. Invariant: no format drops a record.
 * Source: rest contract (AUDIT_FORMATS); NDJSON as FHIR bulk data has it.
 */
import type { AUDIT_FORMATS, AuditRecord } from '@aifi/contracts-rest';
import { canonicalJson } from '@aifi/shared-kernel';
import { CSV_HEADER, toCsv } from './audit-csv.js';
import { toDicomAuditMessage } from './dicom-audit-message.js';
import { toFhirAuditEvent } from './fhir-audit-event.js';
import type { AuditSource } from './rendering.js';

export type AuditFormat = (typeof AUDIT_FORMATS)[number];

interface Rendering {
  readonly header: string;
  readonly line: (record: AuditRecord, source: AuditSource) => string;
}
/** Some readers take these two for the end of a line; as escapes they are the same JSON. */
const asLine = (json: string): string =>
  `${json.replace(/\u2028/g, '\\u2028').replace(/\u2029/g, '\\u2029')}\n`;

const RENDERINGS: Readonly<Record<AuditFormat, Rendering>> = {
  ndjson: { header: '', line: (record) => asLine(canonicalJson(record)) },
  fhir: {
    header: '',
    line: (record, source) => `${canonicalJson(toFhirAuditEvent(record, source))}\n`,
  },
  dicom: { header: '', line: (record, source) => `${toDicomAuditMessage(record, source)}\n` },
  csv: { header: CSV_HEADER, line: (record) => toCsv(record) },
};

/** Lines of the export, each with its end. */
export async function* renderAudit(
  format: AuditFormat,
  records: AsyncIterable<AuditRecord> | Iterable<AuditRecord>,
  source: AuditSource,
): AsyncGenerator<string> {
  const { header, line } = RENDERINGS[format];
  if (header !== '') yield header;
  for await (const record of records) yield line(record, source);
}

const FILES: Readonly<Record<AuditFormat, readonly [type: string, extension: string]>> = {
  ndjson: ['application/x-ndjson', 'ndjson'],
  fhir: ['application/fhir+ndjson', 'ndjson'],
  dicom: ['text/plain; charset=utf-8', 'xml.txt'],
  csv: ['text/csv; charset=utf-8', 'csv'],
};
/** Headers of an export over HTTP. Saved, never shown: what people typed is in it. */
export function exportHeaders(format: AuditFormat): Record<string, string> {
  const [type, extension] = FILES[format];
  const disposition = `attachment; filename="audit-${format}.${extension}"`;
  return { 'Content-Type': type, 'Content-Disposition': disposition };
}
