/**
 * Goal: nobody sees a masked patient before opening him with a reason, every opening is told to the
 * privacy officer, and a pseudonym leads back to a patient only when two persons agreed.
 * Method: the real interface over loopback, planted patients; every route by every role, and a
 * search of all answers for the planted bytes.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ROLES } from '@aifi/access-authorisation';
import { verifyChain } from '@aifi/access-audit';
import {
  alertSchema,
  approvalSchema,
  auditRecordSchema,
  gatewayRoutes,
  patientSchema,
  type AlertView,
  type AuditRecord,
  type GatewayStudyView,
} from '@aifi/contracts-rest';
import { CALLS, REASON } from '../test/access-calls.js';
import type { RouteId } from '../test/access-rows.table.js';
import {
  COLLEAGUE,
  partsOf,
  PATIENT,
  PlantedGateway,
  VIP,
  WALK_IN,
  type PlantedPatient,
} from '../test/planted-gateway.js';
import { OWN_SITE } from '../test/role-sign-in.js';

const sut = new PlantedGateway();
beforeAll(async () => {
  await sut.start();
  await sut.flag(VIP, 'vip');
  await sut.flag(COLLEAGUE, 'own-staff');
});
afterAll(() => sut.stop());

const MASKED = [...partsOf(VIP), ...partsOf(COLLEAGUE)];
/** The own words of the filter: the description of the VIP names her. */
const leaks = (text: string): string[] => MASKED.filter((part) => text.includes(part));
async function listAs(token: string): Promise<Map<string, GatewayStudyView>> {
  const response = await sut.call(token, '/api/v1/studies');
  expect(response.status).toBe(200);
  const { items } = gatewayRoutes.listStudies.response.parse(await response.json());
  return new Map(items.map((item) => [item.studyInstanceUid, item]));
}
const open = (token: string, { studyUid }: PlantedPatient, key?: string): Promise<Response> =>
  sut.post(token, `/api/v1/studies/${studyUid}/identity`, { reason: REASON }, key);
/** Of the masked patients; the calls of the access test make some of another one. */
async function alerts(): Promise<AlertView[]> {
  const response = await sut.call('privacy-officer.own', '/api/v1/alerts?limit=200');
  const { items } = gatewayRoutes.alerts.response.parse(await response.json());
  return items.filter(({ studyInstanceUid }) => studyInstanceUid !== PATIENT.studyUid);
}
async function newest(query = ''): Promise<AuditRecord> {
  const response = await sut.call('auditor.none', `/api/v1/audit?limit=1${query}`);
  const { items } = (await response.json()) as { items: unknown[] };
  return auditRecordSchema.parse(items[0]);
}

describe('before anything is opened', () => {
  it('no answer of any route to any role holds a byte of a masked patient', async () => {
    const found: Record<string, string[]> = {};
    let answers = 0;
    for (const role of ROLES) {
      for (const [id, calls] of Object.entries(CALLS) as [RouteId, (typeof CALLS)[RouteId]][]) {
        for (const { send, isStream } of calls) {
          if (isStream) continue;
          const text = await (await send(sut, `${role}.own.looks`)).text();
          answers += 1;
          if (leaks(text).length > 0) found[`${role} ${id}`] = leaks(text);
        }
      }
      for (const { studyUid, jobId } of [VIP, COLLEAGUE]) {
        for (const path of [
          ...[`studies/${studyUid}`, `jobs/${jobId}/trace`, `jobs/${jobId}/linkage`],
          ...[`audit?objectId=${studyUid}`, 'studies?limit=1', 'studies?state=DONE'],
        ]) {
          const response = await sut.call(`${role}.own.looks`, `/api/v1/${path}`);
          const text = await response.text();
          answers += 1;
          // The auditor's and the privacy officer's log holds numbers: "R log only".
          const isLog = path.startsWith('audit') && ['auditor', 'privacy-officer'].includes(role);
          if (!isLog && leaks(text).length > 0) found[`${role} ${path}`] = leaks(text);
        }
      }
    }
    expect(answers).toBeGreaterThan(600);
    // The number alone, to those who set the flags and read the whole log.
    const numbered = ['auditor', 'privacy-officer'].flatMap((role) => [
      ...[`${role} searchAudit`, `${role} exportAudit`],
    ]);
    for (const [where, parts] of Object.entries(found)) {
      expect([...numbered, 'privacy-officer patientFlags']).toContain(where);
      expect([VIP.patientId, COLLEAGUE.patientId]).toEqual(expect.arrayContaining(parts));
    }
    // Some of the routes have a picture made, by a thread of its own each time.
  }, 30_000);
  it('a radiologist sees the others at once, the record says whom, and who is masked and why', async () => {
    const list = await listAs('radiologist.own.reads');
    expect(list.get(PATIENT.studyUid)).toMatchObject({
      ...{ masked: null, studyDescription: 'MR brain' },
      patient: { patientId: PATIENT.patientId, name: 'Jansen, Piet' },
    });
    expect(list.get(WALK_IN.studyUid)?.patient?.name).toBe('de Vries, Anna');
    expect(list.get(VIP.studyUid)).toMatchObject({ patient: null, masked: 'vip' });
    expect(list.get(VIP.studyUid)?.studyDescription).toBeNull();
    expect(list.get(COLLEAGUE.studyUid)).toMatchObject({
      ...{ patient: null, masked: 'own-staff', studyDescription: null },
    });
    const { detail } = await newest('&userId=radiologist.own.reads');
    expect(JSON.parse(String(detail['patients']))).toEqual([WALK_IN.patientId, PATIENT.patientId]);
  });
  it('hospital IT sees nobody without a reason', async () => {
    for (const study of (await listAs('hospital-it.own')).values()) {
      expect(study.patient).toBeNull();
      expect(study.masked).not.toBeNull();
    }
    expect((await listAs('hospital-it.own')).get(PATIENT.studyUid)?.masked).toBe('reason-required');
  });
  it.each(['auditor.none', 'central-operator.none', 'raio.own', 'privacy-officer.own'])(
    '%s sees no study of the hospital',
    async (token) => {
      expect((await sut.call(token, '/api/v1/studies')).status).toBe(403);
    },
  );
  it('nobody has raised an alert', async () => {
    expect(await alerts()).toEqual([]);
  });
});

describe('opening an identity', () => {
  it('needs a reason', async () => {
    const path = `/api/v1/studies/${VIP.studyUid}/identity`;
    for (const body of [{}, { reason: 'because' }, { reason: '            ' }]) {
      expect((await sut.post('radiologist.own', path, body)).status).toBe(400);
    }
    expect(await alerts()).toEqual([]);
  });
  it('of a masked patient tells the privacy officer, each time, whatever the key', async () => {
    const before = await sut.count();
    const first = await open('radiologist.own.opens', VIP, 'key-00001');
    expect(patientSchema.parse(await first.json())).toMatchObject({
      ...{ patientId: VIP.patientId, name: 'Zonnebloem, Xaviera' },
      accessionNumber: VIP.accessionNumber,
    });
    expect(await sut.count()).toBe(before + 1);
    expect(await newest('&act=identity.open')).toMatchObject({
      ...{ patientId: VIP.patientId, reason: REASON, objectId: VIP.studyUid, outcome: 'success' },
      ...{ userId: 'radiologist.own.opens', detail: { masked: 'vip' } },
    });
    const [alert, ...others] = await alerts();
    expect(others).toEqual([]);
    expect(alert).toMatchObject({
      ...{ masked: 'vip', userId: 'radiologist.own.opens', reason: REASON },
      ...{ studyInstanceUid: VIP.studyUid, acknowledgedAtMs: null },
    });
    expect(JSON.stringify(alert)).not.toContain(VIP.patientId);
    const again = await open('radiologist.own.opens', VIP, 'key-00001');
    expect(again.status).toBe(200);
    expect(await alerts()).toHaveLength(2);
    const kept = await sut.access.database.read((sql) => sql.all('SELECT answer FROM idempotency'));
    expect(JSON.stringify(kept)).not.toContain('Zonnebloem');
  });
  it('masks the patient in the list as before', async () => {
    expect((await listAs('radiologist.own.opens')).get(VIP.studyUid)?.patient).toBeNull();
  });
  it('of somebody else raises no alert, and hospital IT may do it with a reason', async () => {
    const count = (await alerts()).length;
    expect((await open('hospital-it.own', PATIENT)).status).toBe(200);
    expect((await open('radiologist.own', WALK_IN)).status).toBe(200);
    expect(await alerts()).toHaveLength(count);
  });
  it('of a study whose patient is known from the file only raises its alert too', async () => {
    const count = (await alerts()).length;
    expect((await open('resident.own', COLLEAGUE)).status).toBe(200);
    expect(await alerts()).toHaveLength(count + 1);
  });
  it('of no study is a refusal on record', async () => {
    const response = await open('radiologist.own', { ...VIP, studyUid: '1.2.3.999' });
    expect(response.status).toBe(404);
    const record = await newest('&act=identity.open');
    expect(record).toMatchObject({ outcome: 'refused', objectId: '1.2.3.999', reason: REASON });
  });
  it('shows no number in the log of those who may not export it', async () => {
    const query = `/api/v1/audit?objectId=${VIP.studyUid}`;
    const text = await (await sut.call('hospital-it.own', query)).text();
    expect(text).toContain('identity.open');
    expect(leaks(text)).toEqual([]);
    expect(await (await sut.call('auditor.none', query)).text()).toContain(VIP.patientId);
  });
});

describe('flags and alerts', () => {
  it('mask at once, and unmask with a reason; each leaves its record', async () => {
    const body = { patientId: WALK_IN.patientId, kind: 'vip' };
    const set = await sut.post('privacy-officer.own', '/api/v1/patient-flags', body);
    const { id } = (await set.json()) as { id: string };
    expect((await listAs('radiologist.own')).get(WALK_IN.studyUid)?.masked).toBe('vip');
    expect(await newest('&act=patient-flag.set')).toMatchObject({
      ...{ patientId: WALK_IN.patientId, objectId: id, action: 'C' },
    });
    const path = `/api/v1/patient-flags/${id}/removal`;
    expect((await sut.post('privacy-officer.own', path, { reason: REASON })).status).toBe(200);
    expect((await listAs('radiologist.own')).get(WALK_IN.studyUid)?.masked).toBeNull();
    expect(await newest('&act=patient-flag.remove')).toMatchObject({ reason: REASON, action: 'D' });
    expect((await sut.post('privacy-officer.own', path, { reason: REASON })).status).toBe(404);
  });
  it('are acknowledged once, by the privacy officer', async () => {
    const [alert] = await alerts();
    const path = `/api/v1/alerts/${alert!.id}/acknowledgement`;
    const response = await sut.post('privacy-officer.own', path, {});
    expect(alertSchema.parse(await response.json()).acknowledgedBy).toBe('privacy-officer.own');
    expect((await sut.post('privacy-officer.own', path, {})).status).toBe(409);
  });
});

describe('the linkage of a job', () => {
  const linkage = (token: string, { jobId }: PlantedPatient): Promise<Response> =>
    sut.call(token, `/api/v1/jobs/${jobId}/linkage`);
  async function granted(patient: PlantedPatient): Promise<void> {
    const asked = await sut.post('hospital-it.own.asks', '/api/v1/approvals', {
      ...{ act: 'linkage.read', siteId: OWN_SITE, objectId: patient.jobId, reason: REASON },
    });
    const { id } = approvalSchema.parse(await asked.json());
    const path = `/api/v1/approvals/${id}/decision`;
    const body = { decision: 'approve', reason: 'agreed by telephone' };
    expect((await sut.post('hospital-it.own.asks', path, body)).status).toBe(403);
    expect((await sut.post('privacy-officer.own.agrees', path, body)).status).toBe(200);
  }

  it('is refused until a second person has agreed, and then for that person and job only', async () => {
    const refused = await linkage('hospital-it.own.asks', PATIENT);
    expect(refused.status).toBe(403);
    expect(await refused.json()).toMatchObject({ code: 'APPROVAL_REQUIRED' });
    await granted(PATIENT);
    const response = await linkage('hospital-it.own.asks', PATIENT);
    expect(gatewayRoutes.reidentify.response.parse(await response.json())).toMatchObject({
      ...{ jobId: PATIENT.jobId, studyInstanceUid: PATIENT.studyUid },
      ...{ studyPseudonym: `2.25.${PATIENT.jobId}`, patient: { patientId: PATIENT.patientId } },
    });
    expect((await linkage('hospital-it.own.other', PATIENT)).status).toBe(403);
    expect((await linkage('hospital-it.own.asks', VIP)).status).toBe(403);
    expect(await newest('&act=linkage.read&outcome=success')).toMatchObject({
      ...{ responsibleUserId: 'privacy-officer.own.agrees', reason: REASON },
      ...{ patientId: PATIENT.patientId, objectType: 'job' },
    });
  });
  it('of a masked patient raises an alert, with one record for each look', async () => {
    await granted(VIP);
    const [count, before] = [(await alerts()).length, await sut.count()];
    expect((await linkage('hospital-it.own.asks', VIP)).status).toBe(200);
    expect(await sut.count()).toBe(before + 1);
    expect(await alerts()).toHaveLength(count + 1);
  });
  it('ends with its hour', async () => {
    sut.clock.advance(3_600_000);
    expect((await linkage('hospital-it.own.asks', PATIENT)).status).toBe(403);
  });
});

describe('the extract for a patient', () => {
  it('tells who saw him, lists among them, and nothing of anybody else', async () => {
    const body = { patientId: PATIENT.patientId, language: 'nl' };
    const path = '/api/v1/audit/patient-extract';
    const response = await sut.post('privacy-officer.own', path, body);
    const extract = gatewayRoutes.patientExtract.response.parse(await response.json());
    const acts = new Set(extract.records.map(({ act }) => act));
    expect([...acts]).toEqual(
      expect.arrayContaining([
        'hospital-study-list.read',
        'identity.open',
        'linkage.read',
        'hospital-study.read',
      ]),
    );
    expect(extract.text).toContain('Wie uw gegevens heeft gebruikt');
    expect(leaks(extract.text)).toEqual([]);
  });
});

it('and the chain of all of it is whole', async () => {
  const response = await sut.call('privacy-officer.own', '/api/v1/audit/export');
  expect(response.headers.get('content-disposition')).toContain('audit-ndjson.ndjson');
  const lines = (await response.text()).trim().split('\n');
  const records = lines.map((line) => auditRecordSchema.parse(JSON.parse(line)));
  expect(await verifyChain(records)).toMatchObject({ ok: true, count: records.length });
  // The export's own record is in it: it was durable before the first byte.
  expect(records.at(-1)).toMatchObject({ act: 'audit.export', outcome: 'success' });
});
