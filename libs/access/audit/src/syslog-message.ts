/**
 * Syslog message: a DICOM Audit Message as RFC 5424 wants it, framed for TLS.
 * Decides header fields and the longest message. Invariants: a message never exceeds what receivers
 * of this profile must take (32,768 octets); when it would, the record's own details are left out
 * and it says so. Source: RFC 5424 6; RFC 5425 4.3 (octet counting); PS3.15 A.6.
 */
import type { AuditRecord } from '@aifi/contracts-rest';
import { invariant } from '@aifi/shared-kernel';
import { toDicomAuditMessage } from './dicom-audit-message.js';
import type { AuditSource } from './rendering.js';

/** Who sends, in the header. */
export interface SyslogSender {
  readonly hostName: string;
  readonly appName: string;
}

/** Receivers of the profile take at least this. @source PS3.15 A.6 @unit bytes */
export const SYSLOG_MESSAGE_BYTES_MAX = 32_768;
/** Facility 10, security and authorisation (PS3.15 A.6). */
const FACILITY = 10;
/** Severity 5, notice; 4, warning, for what was refused or failed. */
const [NOTICE, WARNING] = [5, 4];
/** PS3.15 A.6 names this value. */
const MESSAGE_ID = 'DICOM+RFC3881';
const BYTE_ORDER_MARK = '\ufeff';

/** One message, without its frame. */
export function syslogMessage(
  record: AuditRecord,
  source: AuditSource,
  { hostName, appName }: SyslogSender,
): Buffer {
  const severity = record.outcome === 'success' ? NOTICE : WARNING;
  const header = [
    `<${FACILITY * 8 + severity}>1`,
    new Date(record.atMs).toISOString(),
    headerField(hostName, 255),
    headerField(appName, 48),
    '-',
    MESSAGE_ID,
    '-',
  ].join(' ');
  const whole = (withDetail: boolean): Buffer =>
    Buffer.from(
      // RFC 5424 6.4: text in UTF-8 begins with the mark.
      `${header} ${BYTE_ORDER_MARK}${toDicomAuditMessage(record, source, { withDetail })}`,
    );
  const message = whole(true);
  if (message.length <= SYSLOG_MESSAGE_BYTES_MAX) return message;
  const short = whole(false);
  // All other fields are limited by their schema.
  invariant(short.length <= SYSLOG_MESSAGE_BYTES_MAX, 'a message without details fits');
  return short;
}

/** Printable ASCII without space, not longer than the field may be; '-' when nothing is left. */
function headerField(text: string, lengthMax: number): string {
  return text.replace(/[^\x21-\x7e]/g, '').slice(0, lengthMax) || '-';
}

/** Octet counting: `length SP message`. */
export function syslogFrame(message: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${message.length} `), message]);
}
