/**
 * Goal: status says what is wrong and what was refused, in words for hospital IT; sites and models
 * are tables. Method: the whole program with made-up answers; the text word for word.
 */
import { describe, expect, it } from '@jest/globals';
import type { GatewayStatus } from '@aifi/contracts-rest';
import { aStatus, aTerminal, digest, GATEWAY, HUB, T0 } from '../test/answers.js';
import { modelsDocumentSchema, sitesDocumentSchema, statusDocumentSchema } from './documents.js';
import { runAifictl } from './run.js';

const hubStatus = {
  ...{ purpose: 'demonstration', version: '0.1.0', roles: ['api', 'jobs'], atMs: T0 },
  jobs: { ACKNOWLEDGED: 2 },
};
const terminalOf = (status: GatewayStatus) =>
  aTerminal({ [`${GATEWAY}/api/v1/status`]: status, [`${HUB}/api/v1/status`]: hubStatus });
const ARGS = ['status', '--gateway', GATEWAY, '--hub', HUB];

/** One refusal per case of bad input, newest first. */
const refusals = [
  ['CT1', 'object', 'DICOM_MALFORMED', 0xc000],
  ['', 'stream', 'INVALID_ARGUMENT', null],
  ['CT1', 'context', 'DICOM_SOP_CLASS_UNSUPPORTED', null],
  ['CT1', 'object', 'OUT_OF_RESOURCES', 0xa700],
  ['CT1', 'stream', 'PEER_UNAVAILABLE', null],
  ['XRAY', 'association', 'FORBIDDEN', null],
  ['CT1', 'object', 'CODE_OF_LATER', 0x0110],
].map(([callingAeTitle, what, code, dimseStatus]) => ({
  ...{ callingAeTitle, what, code, dimseStatus, count: 2, atMs: T0 },
})) as GatewayStatus['refusals'];

describe('aifictl status', () => {
  it('tells gateway and hub, and each kind of refusal in words', async () => {
    const terminal = terminalOf(aStatus({ refusals }));
    expect(await runAifictl(ARGS, terminal)).toBe(0);
    expect(terminal.printed().split('\n')).toEqual([
      'gateway site-a (http://gateway-a): well',
      '  version 0.1.0, demonstration, routing rules 3 of 2026-11-20 09:22:00',
      '  hub link up; PACS answers or was not asked yet; disk 50.0 GB free',
      '  3 studies; jobs: RESULT_IN_PACS 2, SPOOLED 1',
      '  nothing waits to go to the hub',
      '  refused at the door (times in UTC); nothing of it is kept, the sender has it:',
      '    2026-11-20 10:22  CT1              C000  2x  an object that is cut short ' +
        'or contradicts itself',
      '    2026-11-20 10:22  no caller named  -     2x  a stream of bytes that is not DICOM',
      '    2026-11-20 10:22  CT1              -     2x  an offer of a kind of object ' +
        '(SOP class or ' +
        'transfer syntax) that is not taken',
      '    2026-11-20 10:22  CT1              A700  2x  an object for which the disk ' +
        'had no room: ' +
        'the sender may try again',
      '    2026-11-20 10:22  CT1              -     2x  an object whose sender broke ' +
        'off in the middle',
      '    2026-11-20 10:22  XRAY             -     2x  a caller with an AE title or ' +
        'address that ' +
        'is not configured here',
      '    2026-11-20 10:22  CT1              0110  2x  an object that could not be kept',
      '',
      'hub (http://hub): well',
      '  version 0.1.0, demonstration, api and jobs',
      '  jobs: ACKNOWLEDGED 2',
      '',
    ]);
  });

  it('exits 1 and says why when something is wrong, and that nothing is lost', async () => {
    const terminal = terminalOf(
      aStatus({
        ...{ link: 'down', pacsBreaker: 'open', diskFreeBytes: 1_000, rules: null },
        ...{ jobs: { HELD: 1 }, spool: { jobs: 1, objects: 2, bytes: 3_000 } },
      }),
    );
    expect(await runAifictl(ARGS, terminal)).toBe(1);
    expect(terminal.printed().split('\n').slice(0, 11)).toEqual([
      'gateway site-a (http://gateway-a): NOT WELL',
      '  ! no link to the hub: studies wait in the spool, nothing is lost',
      '  ! no routing rules from the hub yet: studies wait, nothing is lost',
      '  ! the PACS does not answer: results wait at the gateway, nothing is lost',
      '  ! the disk is full (1.0 kB free): senders are told A700 and try again, what ' +
        'is here is safe',
      '  ! 1 job held or set apart: a person must look',
      '  version 0.1.0, demonstration, no routing rules yet',
      '  hub link down; PACS does not answer, asked again every 30 seconds; disk 1.0 kB free',
      '  3 studies; jobs: HELD 1',
      '  still to go to the hub: 1 study with 2 objects, 3.0 kB',
      '  nothing was refused at the door',
    ]);
  });

  it('tells what the PACS did not take, and what a filling disk refuses now', async () => {
    const text = async (changes: Partial<GatewayStatus>) => {
      const terminal = terminalOf(aStatus(changes));
      const code = await runAifictl(ARGS, terminal);
      return { code, lines: terminal.printed().split('\n') };
    };
    const disk = { usedPercent: 72.4, freeBytes: 50_000_000_000 };
    const filling = await text({ disk: { ...disk, level: 'warning' } });
    expect(filling.code).toBe(0);
    expect(filling.lines[2]).toMatch(/disk 50\.0 GB free, 72\.4 % used: filling up$/);
    const routine = await text({
      disk: { ...disk, usedPercent: 86, level: 'refuse-routine' },
      deadLetters: { count: 2, oldestMs: T0 },
      delivery: { breaker: 'closed', openCommitments: 1 },
    });
    expect(routine.code).toBe(1);
    expect(routine.lines.slice(0, 7)).toEqual([
      'gateway site-a (http://gateway-a): NOT WELL',
      '  ! the disk is nearly full (50.0 GB free): senders of routine studies are told A700 and ' +
        'try again, what is here is safe',
      '  ! the PACS did not take 2 objects: aifictl dead-letters list',
      '  version 0.1.0, demonstration, routing rules 3 of 2026-11-20 09:22:00',
      '  hub link up; PACS answers or was not asked yet; disk 50.0 GB free, 86 % used: routine ' +
        'studies are refused',
      '  not taken by the PACS: 2 objects, oldest of 2026-11-20 10:22:00',
      '  the PACS still has to confirm 1 storage commitment',
    ]);
    const full = await text({ disk: { ...disk, usedPercent: 96, level: 'refuse-all' } });
    expect(full.lines[1]).toMatch(/^ {2}! the disk is full \(50\.0 GB free\): senders are told/);
    const small = { level: 'normal', usedPercent: 40, freeBytes: 1_000 } as const;
    expect((await text({ diskFreeBytes: 1_000, disk: small })).code).toBe(0);
  });

  it('prints one document of the stated shape, also of peers that do not answer', async () => {
    const terminal = aTerminal({ [`${HUB}/api/v1/status`]: null });
    expect(await runAifictl([...ARGS, '--json'], terminal)).toBe(1);
    const document = statusDocumentSchema.parse(JSON.parse(terminal.printed()));
    expect(document.gateways[0]).toMatchObject({ problems: ['does not answer'], status: null });
    expect(document.hub?.problems[0]).toMatch(/right address/);
  });

  it('takes an answer of another shape for no answer', async () => {
    const terminal = aTerminal({ [`${GATEWAY}/api/v1/status`]: { hello: 'world' } });
    expect(await runAifictl(['status', '--gateway', GATEWAY], terminal)).toBe(1);
    expect(terminal.printed()).toContain('not as this version of aifictl expects');
  });
});

describe('aifictl sites and models', () => {
  const deployment = { product: 'p', version: '1.0.0', modelDigest: digest('c'), state: 'active' };
  const sites = [
    {
      ...{ siteId: 'site-a', purpose: 'demonstration', state: 'active', enrolledAtMs: T0 },
      ...{ lastSeenAtMs: T0, openJobs: 1, waitingOutcomes: 0, rulesSequence: 3 },
      deployments: [deployment, { ...deployment, version: '0.9.0', state: 'retired' }],
    },
  ];
  const models = [
    {
      ...{ product: 'p', name: 'P', version: '1.0.0', vendor: 'V', purpose: 'demonstration' },
      ...{ label: 'RESEARCH', lane: 'routine', modelDigest: digest('c') },
      sites: [{ siteId: 'site-a', state: 'active' }],
    },
  ];
  const terminal = () =>
    aTerminal(
      { [`${HUB}/api/v1/sites`]: { sites }, [`${HUB}/api/v1/models`]: { models } },
      { AIFI_HUB_URL: HUB },
    );

  it('are tables, and documents of the stated shape', async () => {
    const [one, two, three, four] = [terminal(), terminal(), terminal(), terminal()];
    expect(await runAifictl(['sites'], one)).toBe(0);
    expect(one.printed()).toBe(
      'site    state   purpose        last seen (UTC)      open jobs  outcomes to fetch  rules  ' +
        'deployments\n' +
        'site-a  active  demonstration  2026-11-20 10:22:00  1          0                ' +
        '  3      ' +
        'p 1.0.0 active\n',
    );
    expect(await runAifictl(['models'], two)).toBe(0);
    expect(two.printed()).toBe(
      'product  version  vendor  purpose        digest        sites          label\n' +
        'p        1.0.0    V       demonstration  cccccccccccc  site-a active  RESEARCH\n',
    );
    await runAifictl(['sites', '--json'], three);
    expect(sitesDocumentSchema.parse(JSON.parse(three.printed())).sites).toEqual(sites);
    await runAifictl(['models', '--json'], four);
    expect(modelsDocumentSchema.parse(JSON.parse(four.printed())).models).toEqual(models);
  });
  it('exit 1 when the hub does not answer', async () => {
    const away = aTerminal({});
    expect(await runAifictl(['sites', '--hub', HUB], away)).toBe(1);
    expect(away.printed()).toBe('! the hub at http://hub does not answer\n');
  });
  it('exit 2 and show the usage when used wrongly, 0 for help', async () => {
    const wrong = aTerminal({});
    expect(await runAifictl(['sites'], wrong)).toBe(2);
    expect(wrong.printed()).toBe('');
    expect(wrong.complained()).toContain('aifictl trace <StudyInstanceUID | jobId>');
    expect(await runAifictl(['--help'], wrong)).toBe(0);
  });
});
