/**
 * Goal: dead letters read well and keep their shape, an order is sent once with its key, and what
 * was not done is told by the exit code. Method: the whole program with made-up answers; the text
 * word for word.
 */
import { describe, expect, it } from '@jest/globals';
import { deadLetterWords, type DeadLetterView } from '@aifi/contracts-rest';
import { aProblem, aTerminal, GATEWAY, JOB, T0, UID } from '../test/answers.js';
import { deadLetterReplayDocumentSchema, deadLettersDocumentSchema } from './documents.js';
import { runAifictl } from './run.js';

const LETTERS = `${GATEWAY}/api/v1/dead-letters`;
const at = ['--gateway', GATEWAY];
const letter = (changes: Partial<DeadLetterView> = {}): DeadLetterView => ({
  ...{ id: 'delivery:12', sinceMs: T0, product: 'meshnet-tissue', studyInstanceUid: UID },
  ...{ jobId: JOB, kind: 'SR', code: 'PEER_REFUSED', dimseStatus: 'A900', attempts: 3 },
  ...{ words: deadLetterWords('PEER_REFUSED')!, replays: 1, ...changes },
});
const page = (items: readonly DeadLetterView[], nextCursor: string | null = null) => ({
  ...{ items, nextCursor, total: items.length },
});
const orderOf = (terminal: ReturnType<typeof aTerminal>) =>
  terminal.asked.map(({ address, method, headers, body }) => [
    ...[method, address, headers.get('idempotency-key')],
    JSON.parse(body),
  ]);

describe('aifictl dead-letters list', () => {
  it('is a table, and a document of the stated shape', async () => {
    const status = letter({
      ...{ id: 'status_object:3', product: null, kind: 'status', code: 'REASON_OF_LATER' },
      ...{ words: null, dimseStatus: null, studyInstanceUid: null, replays: 0 },
    });
    const answers = { [`${LETTERS}?code=X&limit=50`]: page([letter(), status]) };
    const args = ['dead-letters', 'list', '--code', 'X', ...at];
    const [text, json] = [aTerminal(answers), aTerminal(answers)];
    expect(await runAifictl(args, text)).toBe(0);
    expect(text.printed().split('\n')).toEqual([
      'id               since (UTC)          product         object  reason                      ' +
        '                                                 PACS  attempts  sent again  job' +
        '                               study',
      'delivery:12      2026-11-20 10:22:00  meshnet-tissue  SR      PEER_REFUSED (the PACS refus' +
        `es this object: look in the PACS for the cause)  A900  3         1           ${JOB}  ` +
        '1.2.3.4',
      'status_object:3  2026-11-20 10:22:00  -               status  REASON_OF_LATER             ' +
        `                                                 -     3         0           ${JOB}  ` +
        'not for your role',
      '',
    ]);
    expect(await runAifictl([...args, '--json'], json)).toBe(0);
    const document = deadLettersDocumentSchema.parse(JSON.parse(json.printed()));
    expect(document).toMatchObject({ items: [letter(), status], more: false, fault: null });
  });
  it('says that there are none, or more', async () => {
    const none = aTerminal({ [`${LETTERS}?limit=50`]: page([]) });
    expect(await runAifictl(['dead-letters', 'list', ...at], none)).toBe(0);
    expect(none.printed()).toBe('none\n');
    const more = aTerminal({ [`${LETTERS}?limit=1`]: page([letter()], 'next') });
    await runAifictl(['dead-letters', 'list', '--limit', '1', ...at], more);
    expect(more.printed()).toContain('\nthere are more: --limit\n');
  });
  it('exits 1 and says why when it is refused', async () => {
    const refused = aTerminal({ [`${LETTERS}?limit=50`]: aProblem(403, 'FORBIDDEN') });
    expect(await runAifictl(['dead-letters', 'list', ...at], refused)).toBe(1);
    expect(refused.printed()).toBe(`! ${GATEWAY} refuses: no role of yours allows this\n`);
  });
});

describe('aifictl dead-letters replay', () => {
  const path = `${LETTERS}/delivery%3A12/replay`;
  const args = ['dead-letters', 'replay', 'delivery:12', ...at];
  it('sends one again, once, with a key that makes it safe to repeat', async () => {
    const terminal = aTerminal({ [path]: { replayed: 1, skipped: 0 } });
    expect(await runAifictl(args, terminal)).toBe(0);
    expect(terminal.printed()).toBe('delivery:12 goes to the PACS again\n');
    expect(orderOf(terminal)).toEqual([['POST', path, 'key-of-this-order', {}]]);
  });
  it('exits 1 when it could not be sent again, or was refused', async () => {
    const skipped = aTerminal({ [path]: { replayed: 0, skipped: 1 } });
    expect(await runAifictl(args, skipped)).toBe(1);
    expect(skipped.printed()).toBe(
      '! delivery:12 was not sent again: it is no dead letter any more, or was overtaken\n',
    );
    const refused = aTerminal({ [path]: aProblem(403, 'FORBIDDEN') });
    expect(await runAifictl([...args, '--json'], refused)).toBe(1);
    const document = deadLetterReplayDocumentSchema.parse(JSON.parse(refused.printed()));
    expect(document).toMatchObject({ id: 'delivery:12', replayed: 0, fault: expect.any(String) });
  });
});

describe('aifictl dead-letters replay-all', () => {
  const path = `${LETTERS}/replay`;
  const run = async (options: readonly string[], answer: object) => {
    const terminal = aTerminal({ [path]: answer });
    const code = await runAifictl(['dead-letters', 'replay-all', ...options, ...at], terminal);
    return { code, text: terminal.printed(), orders: orderOf(terminal) };
  };
  it('says in so many words that all is meant', async () => {
    const { code, text, orders } = await run([], { replayed: 2, skipped: 1 });
    expect(code).toBe(0);
    expect(text).toBe(
      '2 objects to go to the PACS again\n1 object left out: settled meanwhile, or overtaken\n',
    );
    expect(orders).toEqual([['POST', path, 'key-of-this-order', { all: true }]]);
  });
  it.each([
    [['--code', 'PEER_REFUSED'], { code: 'PEER_REFUSED' }],
    [['--older-than', '90s'], { olderThanMs: 90_000 }],
    [['--older-than', '30m'], { olderThanMs: 1_800_000 }],
    [['--code', 'X', '--older-than', '2h'], { code: 'X', olderThanMs: 7_200_000 }],
    [['--older-than', '7d'], { olderThanMs: 604_800_000 }],
  ])('with %j asks for %j', async (options, body) => {
    const { code, text, orders } = await run(options, { replayed: 0, skipped: 0 });
    expect([code, text, orders[0]?.[3]]).toEqual([0, 'nothing to send again\n', body]);
  });
  it.each(['2', 'h', '0h', '-1h', '2w', '1.5h', '367d'])('refuses the age %s', async (age) => {
    const { code, orders } = await run([`--older-than=${age}`], {});
    expect([code, orders]).toEqual([2, []]);
  });
});
