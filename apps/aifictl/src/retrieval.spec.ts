/**
 * Goal: what is fetched reads well and keeps its shape; an accession number comes out of a file,
 * goes into the body alone and is printed nowhere; what was not done is told by the exit code.
 * Method: the whole program with made-up answers.
 */
import { describe, expect, it } from '@jest/globals';
import type { RetrievalView } from '@aifi/contracts-rest';
import { aTerminal, GATEWAY, T0, UID } from '../test/answers.js';
import {
  retrievalsDocumentSchema,
  retrievalWithdrawalDocumentSchema,
} from './retrieval-commands.js';
import { runAifictl } from './run.js';

const RETRIEVALS = `${GATEWAY}/api/v1/retrievals`;
const at = ['--gateway', GATEWAY];
const retrieval: RetrievalView = {
  ...{ id: 7, studyInstanceUid: UID, seriesInstanceUid: null, cause: 'by-hand', product: null },
  ...{ state: 'QUEUED', reason: 'CANNOT_SEND', code: 'PEER_UNAVAILABLE', attempts: 2 },
  words: { nl: 'het PACS kan de gateway niet bereiken', en: 'the PACS cannot reach the gateway' },
  ...{ nextAttemptAtMs: T0, expectedInstances: 12, receivedInstances: 3 },
  ...{ createdAtMs: T0, endedAtMs: null },
};
const orders = (terminal: ReturnType<typeof aTerminal>) =>
  terminal.asked
    .filter(({ method }) => method === 'POST')
    .map(({ address, headers, body }) => [
      ...[address, headers.get('idempotency-key') !== null, JSON.parse(body)],
    ]);

describe('aifictl study fetch', () => {
  it('orders a study by its UID, once and with its product', async () => {
    const terminal = aTerminal({ [RETRIEVALS]: { retrievals: [retrieval] } });
    const args = ['study', 'fetch', '--study', UID, '--product', 'tissue', ...at];
    expect(await runAifictl(args, terminal)).toBe(0);
    expect(orders(terminal)).toEqual([
      [RETRIEVALS, true, { studyInstanceUid: UID, product: 'tissue', from: 'command-line' }],
    ]);
    expect(terminal.printed()).toMatch(/^id .*\n7 .* 3\/12 +2 +1\.2\.3\.4 +CANNOT_SEND \(the PACS/);
  });

  it('reads an accession number from a file and prints it nowhere', async () => {
    const terminal = aTerminal({ [RETRIEVALS]: { retrievals: [retrieval] } });
    const files = { ...terminal.files, readText: () => 'ACC-4711\nand more\n' };
    const args = ['study', 'fetch', '--accession-file', 'number.txt', '--json', ...at];
    expect(await runAifictl(args, { ...terminal, files })).toBe(0);
    expect(orders(terminal)).toEqual([
      [RETRIEVALS, true, { accessionNumber: 'ACC-4711', from: 'command-line' }],
    ]);
    expect(terminal.printed()).not.toContain('4711\n');
    const document = retrievalsDocumentSchema.parse(JSON.parse(terminal.printed()));
    expect(document).toMatchObject({ items: [retrieval], more: false, fault: null });
    expect(JSON.stringify(document)).not.toContain('ACC-4711');
  });

  it.each([[[]], [['--study', UID, '--accession-file', 'x']]])(
    'is a wrong use without one name of the study: %j',
    async (options) => {
      const terminal = aTerminal({});
      expect(await runAifictl(['study', 'fetch', ...options, ...at], terminal)).toBe(2);
      expect(terminal.asked).toEqual([]);
    },
  );
});

describe('aifictl retrieval', () => {
  it('lists what is fetched, by state', async () => {
    const done = { ...retrieval, id: 6, state: 'DONE', reason: null, code: null, words: null };
    const answers = {
      [`${RETRIEVALS}?state=DONE&limit=50`]: { items: [done], nextCursor: null, waiting: 1 },
    };
    const terminal = aTerminal(answers);
    expect(await runAifictl(['retrieval', 'list', '--state', 'DONE', ...at], terminal)).toBe(0);
    expect(terminal.printed()).toMatch(/\n6 +2026-11-20 10:22:00 +by-hand +- +DONE +3\/12 .* -\n$/);
  });

  it.each([
    [true, 0, '7 is not fetched any more\n'],
    [false, 1, '! 7 had ended already\n'],
  ])('withdraws: %s', async (withdrawn, code, words) => {
    const answers = { [`${RETRIEVALS}/7/withdrawal`]: { withdrawn } };
    const [text, json] = [aTerminal(answers), aTerminal(answers)];
    const args = ['retrieval', 'withdraw', '7', ...at];
    expect([await runAifictl(args, text), text.printed()]).toEqual([code, words]);
    expect(await runAifictl([...args, '--json'], json)).toBe(code);
    const document = retrievalWithdrawalDocumentSchema.parse(JSON.parse(json.printed()));
    expect(document).toMatchObject({ id: '7', withdrawn, fault: null });
  });
});
