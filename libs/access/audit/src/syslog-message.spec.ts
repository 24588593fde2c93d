/**
 * Goal: frames that any receiver of RFC 5425 and PS3.15 A.6 takes.
 * Method: messages read with the grammar of RFC 5424, also the longest that a record can make.
 */
import { describe, expect, it } from '@jest/globals';
import { syslogFrame, syslogMessage, SYSLOG_MESSAGE_BYTES_MAX } from './syslog-message.js';
import { aDraft, sealAll, SOURCE } from './test-trail.js';

const sender = { hostName: 'gateway.hospital-a.example', appName: 'aifi-gateway' };
const render = (over: Parameters<typeof aDraft>[0] = {}): Buffer =>
  syslogMessage(sealAll([aDraft(over)])[0]!, SOURCE, sender);

describe(syslogMessage.name, () => {
  it('has facility 10, notice, UTC time, the message id of DICOM and the XML after a mark', () => {
    const header =
      '<85>1 2026-03-03T13:05:00.000Z gateway.hospital-a.example aifi-gateway - DICOM+RFC3881 - ';
    expect(render().toString().split('<?xml ')[0]).toBe(`${header}\ufeff`);
  });
  it('warns of what was refused or failed', () => {
    expect(render({ outcome: 'refused', code: 'FORBIDDEN' }).toString()).toMatch(/^<84>1 /);
  });
  it('takes only printable ASCII into the header', () => {
    const [record] = sealAll([aDraft()]);
    const odd = { hostName: 'a b\n<é>', appName: '\u0000' };
    const message = syslogMessage(record!, SOURCE, odd);
    expect(message.toString()).toContain('Z ab<> - - DICOM+RFC3881 - ');
  });
  it('leaves details out and says so when a receiver might cut the message', () => {
    const detail = { list: 'x'.repeat(SYSLOG_MESSAGE_BYTES_MAX) };
    const worst = '\u0001'.repeat(256);
    const message = render({
      ...{ detail, userId: worst, userName: worst, objectId: worst, responsibleUserId: worst },
      ...{ reason: '\u4e00'.repeat(500), patientId: worst.slice(0, 128) },
    });
    expect(message.length).toBeLessThanOrEqual(SYSLOG_MESSAGE_BYTES_MAX);
    expect(message.toString()).toContain(Buffer.from('left out: too long').toString('base64'));
    expect(message.toString()).toMatch(/<\/AuditMessage>$/);
  });
});

it('a list that showed hundreds of patients still fits', () => {
  const patients = JSON.stringify(Array.from({ length: 200 }, () => '\u4e00'.repeat(64)));
  const message = render({ act: 'hospital-study-list.read', detail: { patients } });
  expect(message.length).toBeLessThanOrEqual(SYSLOG_MESSAGE_BYTES_MAX);
});

describe(syslogFrame.name, () => {
  it('counts octets, not characters', () => {
    expect(syslogFrame(Buffer.from('é')).toString()).toBe('2 é');
  });
});
