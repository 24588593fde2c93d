/**
 * Goal: senders and readers that none of us wrote agree with us: python-hl7 sends every message of
 * the set over TCP and gets the answers of the table; python-hl7 and hl7apy read in each valid one
 * the same values as we do.
 * Method: the listening stage with a real database; the Python libraries as processes.
 */
import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AifiError, systemClock } from '@aifi/shared-kernel';
import {
  readWithPeers,
  sendWithPythonHl7,
  type ReadMessage,
} from '../../../../deploy/services/hl7/client.mjs';
import { HL7_PYTHON } from '../../../../deploy/services/hl7/install.mjs';
import { hl7Config, Hl7World } from '../test/hl7-world.js';
import { messageSet } from '../test/message-set.js';
import { parseMessage, readHeader, type Hl7Segment } from './hl7-message.js';
import { createHl7Stage } from './hl7-stage.js';
import { MllpFramer } from './mllp-framer.js';

const HOST = '127.0.0.1';
const FILES = messageSet();
const VALID = FILES.filter(({ why }) => why === undefined);

function hasPython(): boolean {
  const isThere = existsSync(HL7_PYTHON);
  if (!isThere && process.env['CI'] === 'true') {
    throw new AifiError('CONFIG_INVALID', 'missing peers: python-hl7, hl7apy');
  }
  return isThere;
}

/** Whole messages of a file. */
function messagesIn(bytes: Buffer): Buffer[] {
  const events = [...new MllpFramer(1024 * 1024).push(bytes)];
  return events.flatMap((event) => (event.kind === 'frame' ? [event.bytes] : []));
}
const ENCODINGS: Readonly<Record<string, string>> = {
  ...{ '': 'ascii', '8859/1': 'latin1', '8859/15': 'iso-8859-15' },
  'UNICODE UTF-8': 'utf-8',
};
/** What we read. */
const READ: ReadonlySet<string> = new Set([
  ...[3, 4, 7, 9, 10, 11, 12, 13, 15, 16, 18].map((number) => `MSH_${number}`),
  ...['EVN_2', 'EVN_6', 'PID_3', 'PID_5', 'PID_7', 'PID_8', 'PD1_12', 'PV1_19', 'MRG_1', 'MRG_5'],
  ...['ORC_1', 'ORC_2', 'ORC_3', 'ORC_5', 'ORC_7', 'OBR_2', 'OBR_3', 'OBR_4', 'OBR_5', 'OBR_18'],
  ...['TQ1_9', 'IPC_1', 'IPC_3', 'CON_2', 'CON_11', 'CON_13', 'CON_14', 'CON_16', 'ZDS_1'],
]);
const WITH_SEPARATORS = 'orm-custom-separators';

(hasPython() ? describe : describe.skip)('python-hl7 and hl7apy', () => {
  let world: Hl7World;
  const stopping = new AbortController();
  let running: Promise<void>;
  let port = 0;
  beforeAll(async () => {
    world = new Hl7World(hl7Config(), systemClock);
    const stage = createHl7Stage(world.dependencies);
    running = stage.run(stopping.signal);
    ({ port } = await stage.listening);
  });
  afterAll(async () => {
    stopping.abort();
    await running;
    world.close();
  });

  it('are answered as the table says', async () => {
    const items = FILES.map(({ bytes, answers }) => ({ wire: bytes, answers: answers.length }));
    const answered = await sendWithPythonHl7(HOST, port, items);
    const codes = answered.map((answers) => answers.map(([code]) => code));
    const expected = FILES.map(({ answers }) => answers);
    expect(FILES.map(({ file }, at) => [file, codes[at]])).toEqual(
      FILES.map(({ file }, at) => [file, expected[at]]),
    );
  }, 120_000);

  it('read the values that we read', async () => {
    const texts = Object.fromEntries(
      VALID.flatMap(({ file, bytes }) =>
        messagesIn(bytes).map((message, at): [string, string] => {
          const set = readHeader(message)!.fields[17] ?? '';
          return [`${file} ${at}`, new TextDecoder(ENCODINGS[set]).decode(message)];
        }),
      ),
    );
    const read = await readWithPeers(texts);
    let compared = 0;
    for (const { file, bytes } of VALID) {
      for (const [at, message] of messagesIn(bytes).entries()) {
        const peer = read[`${file} ${at}`]!;
        const ours = parseMessage(message, readHeader(message)!).segments;
        expect(peer.hl7.map(([name]) => name)).toEqual(ours.map(({ name }) => name));
        for (const [index, segment] of ours.entries()) {
          compared += sameAsHl7(segment, peer.hl7[index]![1], file);
          // hl7apy leaves escapes to its user.
          if (!file.includes('escapes') && !file.includes('stat')) {
            sameAsHl7apy(segment, peer.hl7apy[index]!, file);
          }
        }
      }
    }
    expect(compared).toBeGreaterThan(1_000);
  }, 120_000);

  /** Every value of a segment; says how many there were. */
  function sameAsHl7(segment: Hl7Segment, fields: readonly string[][][][], file: string): number {
    let count = 0;
    for (const [index, repetitions] of fields.entries()) {
      const number = index + 1;
      // The delimiters themselves are no values.
      if (segment.name === 'MSH' && number <= 2) continue;
      const ours = segment.repetitions(number);
      for (const [repetition, components] of repetitions.entries()) {
        for (const [component, subcomponents] of components.entries()) {
          for (const [subcomponent, text] of subcomponents.entries()) {
            // Highlighting is left in by python-hl7, as words of its own.
            if (file.includes('escapes') && segment.name === 'OBR' && number === 4) continue;
            const value = ours[repetition]!.component(component + 1).subcomponent(subcomponent + 1);
            const at = [file, segment.name, number, repetition, component, subcomponent];
            const read = ours[repetition]!.isNull ? '""' : value.text;
            expect([...at, read]).toEqual([...at, text.trim()]);
            count += 1;
          }
        }
      }
    }
    return count;
  }

  /** Name by name: hl7apy knows what each field is called in the version of the message. */
  function sameAsHl7apy(
    segment: Hl7Segment,
    [name, fields]: ReadMessage['hl7apy'][number],
    file: string,
  ): void {
    expect(name).toBe(segment.name);
    // Its delimiters would have to be taken apart here once more.
    if (file.includes(WITH_SEPARATORS)) return;
    for (const [key, values] of Object.entries(fields)) {
      if (!READ.has(key)) continue;
      const ours = segment.repetitions(Number(key.slice(4)));
      for (const [at, value] of values.entries()) {
        for (const [component, part] of value.split('^').entries()) {
          for (const [subcomponent, text] of part.split('&').entries()) {
            const read = ours[at]!.component(component + 1).subcomponent(subcomponent + 1);
            const place = [file, key, at, component, subcomponent];
            const our = ours[at]!.isNull ? '""' : read.text;
            expect([...place, our]).toEqual([...place, text.trim()]);
          }
        }
      }
    }
  }
});
