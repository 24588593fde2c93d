/**
 * Goal: a trace tells every hop of a study and what happens next, in words that need no log.
 * Method: the whole program with made-up answers of gateway and hub; the text word for word.
 */
import { describe, expect, it } from '@jest/globals';
import type { GatewayJob, GatewayStatus, HubJob } from '@aifi/contracts-rest';
import { REASON_CODES } from '@aifi/shared-kernel';
import {
  aHubJob,
  aJob,
  aStatus,
  aTerminal,
  aTrace,
  BACK,
  digest,
  GATEWAY,
  HUB,
  JOB,
  OUT,
  T0,
  UID,
  type TestTerminal,
} from '../test/answers.js';
import { traceDocumentSchema } from './documents.js';
import { runAifictl } from './run.js';

interface World {
  readonly job?: GatewayJob;
  readonly hub?: HubJob | null;
  readonly status?: GatewayStatus;
}

function terminalOf({ job, hub, status = aStatus() }: World): TestTerminal {
  const journal = job?.terminalAtMs == null ? OUT : [...OUT, ...BACK];
  return aTerminal({
    [`${GATEWAY}/api/v1/studies/${UID}`]: aTrace(job, journal),
    [`${GATEWAY}/api/v1/jobs/${JOB}/trace`]: aTrace(job, journal),
    [`${GATEWAY}/api/v1/status`]: status,
    ...(hub === undefined ? {} : { [`${HUB}/api/v1/jobs/${JOB}`]: hub && { jobs: [hub] } }),
  });
}
const ARGS = ['trace', UID, '--gateway', GATEWAY, '--hub', HUB];

/** The lines of one call that say state and next. */
async function told(world: World): Promise<string> {
  const terminal = terminalOf(world);
  expect(await runAifictl(ARGS, terminal)).toBe(0);
  const lines = terminal.printed().split('\n');
  return lines.filter((line) => /^ {2}(state|next): /.test(line)).join('\n');
}

const delivered = {
  ...{ issue: 0, index: 0, role: 'SR', sopClassUid: '1.2', seriesInstanceUid: '2.25.8' },
  ...{ sopInstanceUid: '2.25.9', sha256: digest('e'), state: 'VERIFIED', dimseStatus: 0 },
  ...{ attempts: 1, nextAttemptAtMs: 0, lastFault: null },
};
const uploaded = {
  upload: { ...aJob().upload!, state: 'STORED', attempts: 2, acknowledged: 2, lastFault: null },
};
const inPacs = aJob({
  ...uploaded,
  ...{ state: 'RESULT_IN_PACS', terminalAtMs: T0 + 14_000, deliveries: [delivered] },
  files: [
    { folder: 'spool', rows: 2, files: 0, bytes: 0 },
    { folder: 'inbound', rows: 1, files: 1, bytes: 9_000 },
    { folder: 'outgoing', rows: 1, files: 1, bytes: 9_500 },
  ],
});
const acknowledged = aHubJob({
  state: 'ACKNOWLEDGED',
  times: {
    ...{ openedAtMs: T0 + 5_500, storedAtMs: T0 + 5_900, queuedAtMs: T0 + 6_000 },
    ...{ inferredAtMs: T0 + 11_000, concludedAtMs: T0 + 11_500, acknowledgedAtMs: T0 + 12_000 },
  },
  queue: { ...aHubJob().queue!, state: 'DONE', leaseEpoch: 2, attempts: 0, lastFault: null },
  inference: {
    ...{ modelDigest: digest('c'), inputDigest: digest('d'), outputSha256: digest('f') },
    ...{ outputBytes: 5, leaseEpoch: 1, startedAtMs: T0 + 7_000, finishedAtMs: T0 + 10_000 },
  },
  outcomes: [
    {
      ...{ issue: 0, sequence: 7, createdAtMs: T0 + 11_500, acknowledgedAtMs: T0 + 12_000 },
      objects: [{ index: 0, sha256: digest('9'), bytes: 9_000 }],
    },
  ],
});

describe('aifictl trace', () => {
  it('shows the whole loop in the order of the data', async () => {
    const terminal = terminalOf({ job: inPacs, hub: acknowledged });
    expect(await runAifictl(ARGS, terminal)).toBe(0);
    expect(terminal.printed().split('\n')).toEqual([
      'Study 1.2.3.4 at site-a (http://gateway-a)',
      '  MR, revision 1, 2026-11-20 10:22:01, times in UTC',
      '  received 10:22:01.000 to 10:22:01.500 from MR1: 2 instances, 2.1 MB',
      '  kept: incoming 2 of 2 files (2.1 MB)',
      '    10:22:04.000  gateway  assemble  closed, revision 1, instances 2',
      '',
      `  meshnet-tissue 1.0.0, job ${JOB}, revision 1, routine`,
      '  state: RESULT_IN_PACS: the PACS lists every object of the result',
      '    10:22:04.100  gateway  select      selected, product meshnet-tissue',
      '    10:22:05.000  gateway  spool       spooled, objects 2, manifest sha256 bbbbbbbbbbbb',
      '    10:22:06.000  gateway  uplink      uploaded, attempt 2',
      '    10:22:05.500  hub      ingest      opened, 2 objects, 2.0 MB, manifest ' +
        'sha256 bbbbbbbbbbbb',
      '    10:22:05.900  hub      ingest      stored, holds 2 of 2 objects',
      '    10:22:06.000  hub      route       allowed and queued',
      '    10:22:11.000  hub      infer       inferred at claim 1, worker 10:22:07.000 to ' +
        '10:22:10.000, input sha256 dddddddddddd, output sha256 ffffffffffff, model cccccccccccc',
      '    10:22:11.500  hub      results     concluded, 1 object 999999999999, outcome 7',
      '    10:22:12.000  hub      downlink    outcome 7 acknowledged by the gateway',
      '    10:22:12.000  gateway  downlink    returned, objects 1, issue 0, outcome RESULT',
      '    10:22:13.000  gateway  reidentify  reidentified, objects 1',
      '    10:22:14.000  gateway  deliver     delivered, objects 1, issue 0',
      '    upload: 2 attempts, 2 of 2 objects acknowledged, 2.0 MB, manifest sha256 ' +
        'bbbbbbbbbbbb, ' +
        'input sha256 dddddddddddd',
      '    SR: in the PACS, C-STORE 0000, 1 look, SOP Instance 2.25.9, sha256 eeeeeeeeeeee',
      '    kept: spool 0 of 2 files, the rest is no longer owed to the hub; ' +
        'inbound 1 of 1 file (9.0 kB); outgoing 1 of 1 file (9.5 kB)',
      '',
    ]);
  });

  it('prints one document of the stated shape, for a job id as well', async () => {
    const terminal = terminalOf({ job: inPacs, hub: acknowledged });
    const args = ['trace', JOB, '--gateway', GATEWAY, '--hub', HUB, '--json'];
    expect(await runAifictl(args, terminal)).toBe(0);
    const printed: unknown = JSON.parse(terminal.printed());
    const document = traceDocumentSchema.parse(printed);
    expect(document).toEqual(printed);
    expect(document.studies[0]?.jobs[0]).toMatchObject({ terminal: true, next: null });
    expect(document.studies[0]?.jobs[0]?.hub?.inference?.inputDigest).toBe(digest('d'));
  });

  it('says when the hub is away: nothing is lost, and when it is tried again', async () => {
    expect(await told({ job: aJob(), hub: null, status: aStatus({ link: 'down' }) })).toBe(
      '  state: SPOOLED: pseudonymised and kept at the gateway, not at the hub yet\n' +
        '  next: waiting for the hub, attempt 4 at 10:22:31, last fault PEER_UNAVAILABLE (the ' +
        'other side does not answer); the link to the hub is down, the study is safe in the ' +
        'spool. If nothing changes it ends at 11:22:04 as NOT_ANALYSED_NOTIFIED, TIMEOUT',
    );
  });

  it('says when the PACS is away: how many objects wait, and for which attempt', async () => {
    const waiting = {
      ...{ ...delivered, state: 'QUEUED', dimseStatus: null, attempts: 4 },
      ...{ nextAttemptAtMs: T0 + 60_000, lastFault: 'PEER_UNAVAILABLE' },
    };
    const job = aJob({ ...uploaded, state: 'REIDENTIFIED', deliveries: [waiting] });
    const status = aStatus({ pacsBreaker: 'open' });
    expect(await told({ job, hub: acknowledged, status })).toContain(
      'next: waiting for the PACS, 1 of 1 object to go, attempt 5 at 10:23:00, last fault ' +
        'PEER_UNAVAILABLE (the other side does not answer); the PACS does not answer and is ' +
        'looked for every 30 seconds.',
    );
    const absent = { ...waiting, lastFault: null };
    const study = aJob({ ...uploaded, state: 'REIDENTIFIED', deliveries: [absent] });
    expect(await told({ job: study, hub: acknowledged })).toContain(
      'the PACS did not list the study at the last look',
    );
  });

  it('says when a model crashes: which claim, and how it ends', async () => {
    const job = aJob({ ...uploaded, state: 'UPLOADED' });
    expect(await told({ job, hub: aHubJob() })).toContain(
      'next: waiting for a worker, attempt 3 at 10:22:40, last fault MODEL_FAILED (the model ' +
        'crashed or gave unusable output).',
    );
    const ended = aJob({
      ...{ ...uploaded, state: 'NOT_ANALYSED_NOTIFIED', code: 'MODEL_FAILED' },
      terminalAtMs: T0 + 14_000,
    });
    expect(await told({ job: ended, hub: null })).toBe(
      `  state: NOT_ANALYSED_NOTIFIED: not analysed; MODEL_FAILED: ${REASON_CODES.MODEL_FAILED.en}`,
    );
  });

  it('says when the disk is full, and that it goes on', async () => {
    const job = aJob({ state: 'SELECTED', upload: null });
    const status = aStatus({ diskFreeBytes: 12_000_000 });
    expect(await told({ job, hub: null, status })).toContain(
      "waiting for pseudonymise at the gateway; the gateway's disk is full (12.0 MB free): it " +
        'goes on when there is room.',
    );
    const disk = { level: 'refuse-all', usedPercent: 96, freeBytes: 5e9 } as const;
    const full = aStatus({ diskFreeBytes: 5e9, disk });
    expect(await told({ job, hub: null, status: full })).toContain('disk is full (5.0 GB free)');
  });

  it('says that a result which the PACS would not take can be sent again', async () => {
    const dead = { ...delivered, state: 'DEAD', dimseStatus: 0xa900, lastFault: 'RESULT_LOST' };
    const job = aJob({
      ...{ ...uploaded, state: 'NOT_ANALYSED_NOTIFIED', code: 'PACS_REFUSED' },
      ...{ deliveries: [dead], terminalAtMs: T0 + 14_000 },
    });
    expect(await told({ job, hub: null })).toContain(
      'next: a person can have it sent again: aifictl dead-letters list',
    );
  });

  it('says that nothing left the hospital for a product that did not ask', async () => {
    const job = aJob({
      ...{ state: 'NOT_ELIGIBLE_LOGGED', code: 'OUT_OF_INTENDED_USE', upload: null },
      ...{ detail: 'OUT_OF_INTENDED_USE: modality', terminalAtMs: T0 + 4_100 },
    });
    const terminal = terminalOf({ job });
    await runAifictl(ARGS, terminal);
    expect(terminal.printed()).toContain(
      'state: NOT_ELIGIBLE_LOGGED: not for this product; OUT_OF_INTENDED_USE: ' +
        `${REASON_CODES.OUT_OF_INTENDED_USE.en}; (OUT_OF_INTENDED_USE: modality)`,
    );
    expect(terminal.printed()).toContain('kept: nothing left the hospital for this product');
  });

  it.each([
    ['HELD', 'IDENTITY_UNEXPLAINED', 'waiting for a person at the hospital'],
    ['QUARANTINED', 'IDENTITY_MISMATCH', 'as NOT_ANALYSED_NOTIFIED, IDENTITY_MISMATCH'],
    ['RETURNED', null, 'waiting for reidentify'],
  ])('says what a job in state %s waits for', async (state, code, words) => {
    expect(await told({ job: aJob({ ...uploaded, state, code }), hub: null })).toContain(words);
  });

  it.each([
    ['OPEN', 'the hub still waits for objects'],
    ['STORED', 'waiting for route'],
    ['INFERRED', 'the hub is making the result objects'],
    ['CONCLUDED', 'waits for the gateway to fetch it'],
  ])('says what a job waits for that is %s at the hub', async (state, words) => {
    const queue = { ...aHubJob().queue!, lastFault: null };
    const job = aJob({ ...uploaded, state: 'UPLOADED' });
    expect(await told({ job, hub: aHubJob({ state, queue }) })).toContain(words);
  });

  it('joins a job of the hub only when the site agrees', async () => {
    const job = aJob({ ...uploaded, state: 'UPLOADED' });
    expect(await told({ job, hub: aHubJob({ siteId: 'site-b' }) })).toContain(
      'the hub does not know this job',
    );
  });

  it('names a peer that does not answer and tells what the others know', async () => {
    const terminal = terminalOf({ job: aJob({ ...uploaded, state: 'UPLOADED' }) });
    expect(await runAifictl([...ARGS, '--gateway', 'http://gone'], terminal)).toBe(0);
    expect(terminal.printed()).toContain('the hub is not asked (--hub) or away');
    expect(terminal.printed()).toContain('! the gateway at http://gone does not answer');
    expect(terminal.printed()).toContain('! the hub at http://hub does not answer');
  });

  it('says what a study without jobs waits for', async () => {
    expect(await told({})).toContain('waiting for routing rules of the hub');
  });

  it('exits 1 for a study of nobody, and shows what was refused at the door', async () => {
    const refusal = { atMs: T0, callingAeTitle: 'CT1', what: 'object', code: 'DICOM_MALFORMED' };
    const terminal = aTerminal({
      [`${GATEWAY}/api/v1/studies/9.9`]: null,
      [`${GATEWAY}/api/v1/status`]: aStatus({
        refusals: [{ ...refusal, dimseStatus: 0xc000, count: 2 }],
      }),
    });
    expect(await runAifictl(['trace', '9.9', '--gateway', GATEWAY], terminal)).toBe(1);
    expect(terminal.printed().split('\n')).toEqual([
      'No peer that was asked knows 9.9.',
      'A study that was refused at the door has no row: its sender got the answer ' +
        'and still has it.',
      'Refused lately:',
      '    2026-11-20 10:22  site-a  CT1  C000  2x  an object that is cut short or ' +
        'contradicts itself',
      '',
    ]);
  });

  it('shows a job that only the hub knows', async () => {
    const terminal = aTerminal({
      [`${GATEWAY}/api/v1/jobs/${JOB}/trace`]: null,
      [`${GATEWAY}/api/v1/status`]: aStatus(),
      [`${HUB}/api/v1/jobs/${JOB}`]: { jobs: [aHubJob()] },
    });
    const args = ['trace', JOB, '--gateway', GATEWAY, '--hub', HUB];
    expect(await runAifictl(args, terminal)).toBe(0);
    expect(terminal.printed()).toContain('at the hub (no gateway that was asked knows it)');
    expect(terminal.printed()).toContain(
      'hub  infer   next attempt, 2 claims, last fault MODEL_FAILED',
    );
  });
});
