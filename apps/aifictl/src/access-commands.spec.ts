/**
 * Goal: approvals, audit and the hub's studies read well and keep their shape; a trail that was
 * changed is told by its first wrong record. Method: the whole program with made-up answers and a
 * chain that is really hashed; the text word for word.
 */
import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { FIRST_PREVIOUS_HASH, makeAnchor, sealRecord } from '@aifi/access-audit';
import type { ApprovalView, AuditDraft, AuditRecord, HubStudy } from '@aifi/contracts-rest';
import { aProblem, aTerminal, HUB, JOB, T0 } from '../test/answers.js';
import {
  approvalDocumentSchema,
  approvalsDocumentSchema,
  auditExportDocumentSchema,
  auditSearchDocumentSchema,
  auditVerifyDocumentSchema,
  studiesDocumentSchema,
} from './documents.js';
import { runAifictl } from './run.js';

const ID = '11111111-2222-4333-8444-555555555555';
const approval: ApprovalView = {
  ...{ id: ID, act: 'pixels.read', siteId: 'site-a', objectId: '2.25.77' },
  ...{ reason: 'the vendor reports a failure', state: 'REQUESTED' },
  requestedBy: { id: 'anna', name: 'Anna' },
  ...{ requestedAtMs: T0, expiresAtMs: T0 + 86_400_000, decidedBy: null, decidedAtMs: null },
  ...{ decisionReason: null, grantedUntilMs: null, endedAtMs: null },
};
const approved: ApprovalView = {
  ...{ ...approval, state: 'APPROVED', decidedBy: { id: 'bram', name: 'Bram' } },
  ...{ decidedAtMs: T0, decisionReason: 'agreed', grantedUntilMs: T0 + 3_600_000 },
};
const APPROVALS = `${HUB}/api/v1/approvals`;
const page = (items: readonly unknown[], nextCursor: string | null = null) => ({
  ...{ items, nextCursor },
});

describe('aifictl approvals', () => {
  it('list is a table, and a document of the stated shape', async () => {
    const answers = { [`${APPROVALS}?state=REQUESTED&limit=50`]: page([approval]) };
    const args = ['approvals', 'list', '--state', 'REQUESTED', '--hub', HUB];
    const [text, json] = [aTerminal(answers), aTerminal(answers)];
    expect(await runAifictl(args, text)).toBe(0);
    expect(text.printed().split('\n')).toEqual([
      'id                                    state      act          site    object   asked by  ' +
        'at (UTC)             decided by  reason',
      `${ID}  REQUESTED  pixels.read  site-a  2.25.77  Anna      2026-11-20 10:22:00  -` +
        '           the vendor reports a failure',
      '',
    ]);
    await runAifictl([...args, '--json'], json);
    expect(approvalsDocumentSchema.parse(JSON.parse(json.printed())).items).toEqual([approval]);
  });
  it('request asks once, with a key that makes it safe to repeat', async () => {
    const terminal = aTerminal({ [APPROVALS]: approval });
    const what = ['--site', 'site-a', '--object', '2.25.77', '--reason', approval.reason];
    const args = ['approvals', 'request', 'pixels.read', ...what, '--hub', HUB];
    expect(await runAifictl(args, terminal)).toBe(0);
    expect(terminal.printed()).toBe(
      `${ID}: pixels.read of 2.25.77 at site-a is REQUESTED\n  another person agrees before ` +
        `2026-11-21 10:22:00 (UTC): aifictl approvals approve ${ID}\n`,
    );
    const [{ method, headers, body } = { headers: new Headers(), body: '' }, ...rest] =
      terminal.asked;
    expect([method, headers.get('idempotency-key'), rest]).toEqual([
      'POST',
      'key-of-this-order',
      [],
    ]);
    expect(JSON.parse(body)).toEqual({
      ...{ act: 'pixels.read', siteId: 'site-a', objectId: '2.25.77', reason: approval.reason },
    });
  });
  it.each([
    ['approve', 'decision', { decision: 'approve', reason: 'agreed by telephone' }],
    ['refuse', 'decision', { decision: 'refuse', reason: 'agreed by telephone' }],
    ['end', 'end', { reason: 'agreed by telephone' }],
  ])('%s goes to the request', async (word, path, body) => {
    const terminal = aTerminal({ [`${APPROVALS}/${ID}/${path}`]: approved });
    const args = ['approvals', word, ID, '--reason', 'agreed by telephone', '--hub', HUB];
    expect(await runAifictl([...args, '--json'], terminal)).toBe(0);
    expect(JSON.parse(terminal.asked[0]?.body ?? '')).toEqual(body);
    expect(approvalDocumentSchema.parse(JSON.parse(terminal.printed())).approval).toEqual(approved);
  });
  it('tells until when an approved act may be done, and who agreed', async () => {
    const terminal = aTerminal({ [`${APPROVALS}/${ID}/decision`]: approved });
    const args = ['approvals', 'approve', ID, '--reason', 'agreed', '--hub', HUB];
    await runAifictl(args, terminal);
    expect(terminal.printed()).toContain(
      '  Bram agreed: it may be done until 2026-11-20 11:22:00 (UTC)\n',
    );
  });
  it('exit 1 and say why when the order is refused', async () => {
    const address = `${APPROVALS}/${ID}/decision`;
    const terminal = aTerminal({ [address]: aProblem(401, 'STEP_UP_REQUIRED') });
    const args = ['approvals', 'approve', ID, '--reason', 'agreed', '--hub', HUB];
    expect(await runAifictl(args, terminal)).toBe(1);
    expect(terminal.printed()).toBe(
      `! ${HUB} asks for a fresh sign-in first: aifictl login --step-up\n`,
    );
  });
});

describe('aifictl studies', () => {
  const study = (jobId: string): HubStudy => ({
    ...{ siteId: 'site-a', studyPseudonym: '2.25.77', jobId, revision: 1 },
    ...{ product: 'meshnet-tissue', version: '1.0.0', lane: 'routine', state: 'CONCLUDED' },
    ...{ code: 'MODEL_FAILED', openedAtMs: T0, concludedAtMs: T0, acknowledgedAtMs: null },
  });
  const STUDIES = `${HUB}/api/v1/studies`;

  it('is a table of what the filters leave, page after page', async () => {
    const query = 'siteId=site-a&state=CONCLUDED&limit=';
    const answers = {
      [`${STUDIES}?${query}100`]: page([study(JOB)], 'next'),
      [`${STUDIES}?${query}100&cursor=next`]: page([study('b'.repeat(32))], 'more'),
    };
    const filters = ['--site', 'site-a', '--state', 'CONCLUDED'];
    const args = ['studies', ...filters, '--limit', '101', '--hub', HUB];
    // The second page is asked for what is still missing.
    const terminal = aTerminal({ ...answers, [`${STUDIES}?${query}100&cursor=next`]: page([]) });
    expect(await runAifictl(args, terminal)).toBe(0);
    expect(terminal.printed().split('\n')).toEqual([
      'opened (UTC)         site    product               state                     job         ' +
        '                      study pseudonym',
      '2026-11-20 10:22:00  site-a  meshnet-tissue 1.0.0  CONCLUDED (MODEL_FAILED)  ' +
        `${JOB}  2.25.77`,
      '',
    ]);
  });
  it('says that there are more, and prints a document of the stated shape', async () => {
    const answers = { [`${STUDIES}?limit=1`]: page([study(JOB)], 'next') };
    const [text, json] = [aTerminal(answers), aTerminal(answers)];
    await runAifictl(['studies', '--limit', '1', '--hub', HUB], text);
    expect(text.printed()).toContain('\nthere are more: --limit\n');
    await runAifictl(['studies', '--limit', '1', '--hub', HUB, '--json'], json);
    const document = studiesDocumentSchema.parse(JSON.parse(json.printed()));
    expect(document).toMatchObject({ more: true, fault: null, items: [{ jobId: JOB }] });
  });
});

const draft: AuditDraft = {
  ...{ act: 'pixels.read', action: 'R', outcome: 'success', code: null, userId: 'anna' },
  ...{ userName: 'Anna', userKind: 'person', role: 'central-operator' },
  ...{ responsibleUserId: null, siteId: 'site-a', objectType: 'study', objectId: '2.25.77' },
  ...{ patientId: null, reason: 'the vendor reports a failure', sourceAddress: '127.0.0.1' },
  ...{ correlationId: 'c', detail: {} },
};
function aChain(length: number): AuditRecord[] {
  const records: AuditRecord[] = [];
  for (let sequence = 1; sequence <= length; sequence += 1) {
    const previousHash = records.at(-1)?.hash ?? FIRST_PREVIOUS_HASH;
    const place = { chain: 'hub:site-a', sequence, atMs: T0 + sequence * 1_000, previousHash };
    records.push(sealRecord(draft, place));
  }
  return records;
}
const chain = aChain(4);
const ndjson = (records: readonly AuditRecord[]): string =>
  records.map((record) => `${JSON.stringify(record)}\n`).join('');
const keys = generateKeyPairSync('ed25519');
const anchors = {
  publicKeyPem: keys.publicKey.export({ format: 'pem', type: 'spki' }),
  anchors: [
    makeAnchor({
      ...{ record: chain[2]!, day: '2026-11-20', madeAtMs: T0 },
      signingKey: keys.privateKey,
    }),
  ],
};

describe('aifictl audit search', () => {
  const AUDIT = `${HUB}/api/v1/audit`;
  it('is a table with the place of each record in its chain', async () => {
    const from = Date.parse('2026-11-20');
    const query = `fromMs=${from}&act=pixels.read&outcome=success&limit=1`;
    const answers = { [`${AUDIT}?${query}`]: page([chain[3]], 'next') };
    const filters = ['--from', '2026-11-20', '--act', 'pixels.read', '--outcome', 'success'];
    const args = ['audit', 'search', ...filters, '--limit', '1', '--hub', HUB];
    const [text, json] = [aTerminal(answers), aTerminal(answers)];
    expect(await runAifictl(args, text)).toBe(0);
    expect(text.printed().split('\n')).toEqual([
      'at (UTC)             who   as                act          outcome  site    object        ' +
        ' reason                        record',
      '2026-11-20 10:22:04  Anna  central-operator  pixels.read  success  site-a  study 2.25.77 ' +
        ' the vendor reports a failure  hub:site-a 4',
      'there are more: --limit, --from, --to',
      '',
    ]);
    await runAifictl([...args, '--json'], json);
    expect(auditSearchDocumentSchema.parse(JSON.parse(json.printed())).items).toEqual([chain[3]]);
  });
});

describe('aifictl audit export', () => {
  const EXPORT = `${HUB}/api/v1/audit/export`;
  const answers = {
    [EXPORT]: () => new Response(ndjson(chain)),
    [`${EXPORT}?siteId=site-a&format=fhir`]: () => new Response('{"resourceType":"Bundle"}'),
    [`${HUB}/api/v1/audit/anchors`]: anchors,
  };
  it('writes what the server sends into a file, and the anchors beside it', async () => {
    const terminal = aTerminal(answers);
    const files = ['--out', 'trail.ndjson', '--anchors', 'anchors.json'];
    expect(await runAifictl(['audit', 'export', ...files, '--hub', HUB, '--json'], terminal)).toBe(
      0,
    );
    expect(terminal.disk.get('trail.ndjson')).toBe(ndjson(chain));
    expect(JSON.parse(terminal.disk.get('anchors.json') ?? '')).toEqual(anchors);
    const document = auditExportDocumentSchema.parse(JSON.parse(terminal.printed()));
    expect(document).toMatchObject({ bytes: ndjson(chain).length, fault: null });
    expect(await runAifictl(['audit', 'verify', 'trail.ndjson', ...files.slice(2)], terminal)).toBe(
      0,
    );
  });
  it('goes to standard output, and nothing else with it', async () => {
    const terminal = aTerminal(answers);
    const args = ['audit', 'export', '--site', 'site-a', '--format', 'fhir', '--hub', HUB];
    expect(await runAifictl(args, terminal)).toBe(0);
    expect(terminal.printed()).toBe('{"resourceType":"Bundle"}');
  });
  it('exits 1 and leaves no file when it is refused', async () => {
    const terminal = aTerminal({ [EXPORT]: aProblem(401, 'STEP_UP_REQUIRED') });
    expect(await runAifictl(['audit', 'export', '--out', 'x', '--hub', HUB], terminal)).toBe(1);
    expect(terminal.printed()).toBe(
      `! ${HUB} asks for a fresh sign-in first: aifictl login --step-up\n`,
    );
    expect(terminal.disk.size).toBe(0);
  });
  it('says when the answer broke off in the middle', async () => {
    const body = new ReadableStream({
      start: (controller) => controller.enqueue(new TextEncoder().encode('{"act"')),
      pull: (controller) => controller.error(new Error('gone')),
    });
    const terminal = aTerminal({ [EXPORT]: () => new Response(body) });
    expect(await runAifictl(['audit', 'export', '--out', 'x', '--hub', HUB], terminal)).toBe(1);
    expect(terminal.printed()).toContain('broke off in the middle');
  });
  it('cannot print a document into the trail itself', async () => {
    expect(await runAifictl(['audit', 'export', '--json', '--hub', HUB], aTerminal(answers))).toBe(
      2,
    );
  });
});

describe('aifictl audit verify', () => {
  async function told(
    trail: string,
    more: readonly string[] = [],
  ): Promise<{ code: number; text: string }> {
    const terminal = aTerminal({});
    terminal.disk.set('trail', trail);
    terminal.disk.set('anchors', JSON.stringify(anchors));
    const code = await runAifictl(['audit', 'verify', 'trail', ...more], terminal);
    expect(terminal.asked).toEqual([]);
    return { code, text: terminal.printed() };
  }
  it('says how far each chain goes and what an anchor vouches for', async () => {
    const { code, text } = await told(ndjson(chain), ['--anchors', 'anchors']);
    expect(code).toBe(0);
    const [first, second, third] = text.split('\n');
    expect(first).toBe('trail: whole, 4 records in 1 chain');
    expect(second).toBe('  hub:site-a: 1 to 4, anchored up to 3');
    expect(third).toMatch(/^ {2}key of the anchors: sha256 [0-9a-f]{64}$/);
  });
  it('warns that nothing vouches for the end without anchors', async () => {
    expect((await told(ndjson(chain))).text).toContain('without --anchors a chain whose end');
  });
  it.each([
    ['edited', [chain[0], { ...chain[1], userName: 'Nobody' }, chain[2]], 'record 2'],
    ['deleted', [chain[0], chain[2], chain[3]], 'record 2'],
    ['reordered', [chain[0], chain[2], chain[1]], 'record 2'],
  ] as const)('finds what was %s', async (kind, records, where) => {
    const trail = ndjson(records as unknown as AuditRecord[]);
    const { code, text } = await told(trail);
    expect(code).toBe(1);
    expect(text).toMatch(new RegExp(`^trail: NOT WHOLE: ${where} of hub:site-a is `));
    const terminal = aTerminal({});
    terminal.disk.set('trail', trail);
    await runAifictl(['audit', 'verify', 'trail', '--json'], terminal);
    const document = auditVerifyDocumentSchema.parse(JSON.parse(terminal.printed()));
    expect(document).toMatchObject({ ok: false, broken: { kind } });
  });
  it('finds an end that was cut off, by the anchor', async () => {
    const cut = ndjson(chain.slice(0, 2));
    expect((await told(cut)).code).toBe(0);
    const { code, text } = await told(cut, ['--anchors', 'anchors']);
    expect([code, text]).toEqual([1, 'trail: NOT WHOLE: record 3 of hub:site-a is missing\n']);
  });
  it('takes no line for a record that is none', async () => {
    const { code, text } = await told(`${ndjson(chain.slice(0, 1))}garbage\n`);
    expect([code, text]).toEqual([1, 'trail: NOT WHOLE: line 2 is no audit record\n']);
  });
  it('trusts no anchor that another key signed', async () => {
    const terminal = aTerminal({});
    terminal.disk.set('trail', ndjson(chain));
    const publicKeyPem = generateKeyPairSync('ed25519').publicKey.export({
      ...{ format: 'pem', type: 'spki' },
    });
    terminal.disk.set('anchors', JSON.stringify({ ...anchors, publicKeyPem }));
    const args = ['audit', 'verify', 'trail', '--anchors', 'anchors'];
    expect(await runAifictl(args, terminal)).toBe(1);
    expect(terminal.printed()).toContain('the anchors are not signed by the key beside them');
  });
  it('is a wrong use without the file', async () => {
    expect(await runAifictl(['audit', 'verify', 'nowhere'], aTerminal({}))).toBe(2);
  });
});
