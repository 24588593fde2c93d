/**
 * Target: everything that reads bytes of an HL7 sender, from the frame to what a message changes.
 * Properties: only refusals of the catalogue; the same frames for any chunks; of what is kept every
 * value is a digest, a UID, a code or a word of ours; each answer is a whole message in ASCII that
 * names the one it answers, with the refusal that was made.
 * Source: HL7 v2 chapter 2; security specification 4 (HL7 v2).
 */
import { deepStrictEqual, match, ok, strictEqual } from 'node:assert';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { hl7ConfigSchema } from '@aifi/gateway-hl7';
import { keyRingOf } from '@aifi/shared-site-keys';
import { fakeSiteKeys } from '@aifi/shared-testing';
import { chunksOf } from '../chunked.js';
import { outcomeOf, type FuzzTarget } from '../fuzz-target.js';
import { internalModule } from '../internal-module.js';

const FOLDER = 'libs/gateway/hl7/src';
const MESSAGES = fileURLToPath(
  new URL('../../../../libs/gateway/hl7/fixtures/messages/', import.meta.url),
);
const BYTES_MAX = 16 * 1024;

interface Header {
  readonly fields: readonly string[];
}
interface Message {
  all(name: string): { text(field: number): string }[];
}
interface Plan {
  readonly orders: readonly object[];
  readonly moves: readonly object[];
}
type Frame = { readonly kind: string; readonly bytes?: Buffer; readonly head?: Buffer };

const { MllpFramer, framed } = await internalModule<{
  MllpFramer: new (bytesMax: number) => {
    push(chunk: Buffer): Iterable<Frame>;
    end(): Frame | undefined;
  };
  framed(content: Buffer): Buffer;
}>(`${FOLDER}/mllp-framer.ts`, ['MllpFramer', 'framed']);
const { readHeader, parseMessage } = await internalModule<{
  readHeader(bytes: Uint8Array): Header | undefined;
  parseMessage(bytes: Uint8Array, header: Header): Message;
}>(`${FOLDER}/hl7-message.ts`, ['readHeader', 'parseMessage']);
const { MessagePlanner } = await internalModule<{
  MessagePlanner: new (sources: object) => {
    plan(message: Message, messageKey: string, sql: object): Plan;
  };
}>(`${FOLDER}/message-plan.ts`, ['MessagePlanner']);
const { Hl7Digests } = await internalModule<{ Hl7Digests: new (ring: object) => object }>(
  `${FOLDER}/hl7-digests.ts`,
  ['Hl7Digests'],
);
const { answersTo } = await internalModule<{
  answersTo(header: Header, refusal: object, options: object): Buffer[];
}>(`${FOLDER}/acknowledgement.ts`, ['answersTo']);

const KEYS = keyRingOf(fakeSiteKeys());
const PLANNER = new MessagePlanner({
  config: hl7ConfigSchema.parse({
    port: 0,
    senders: [{ name: 'zis', host: '127.0.0.1', plain: true }],
    patientNumbers: [{ authority: 'ZIS', issuer: 'ZKH' }],
    processingIds: ['P', 'T', 'D'],
    consent: { types: { 'AI-ZORG': ['ai-in-own-care'] }, protection: ['sharing'] },
  }),
  ...{ keys: KEYS, digests: new Hl7Digests(KEYS), studiesOf: () => ['1.2.3'] },
});
/** No order is known. */
const NO_ROWS = { all: () => [], get: () => undefined };

const KEPT: Readonly<Record<string, RegExp>> = {
  ...{ stamp: /^\d{15}\.\d{10}\.\d\.key$/, studyUid: /^[0-9.]{1,64}$/ },
  ...{ priority: /^(acute|routine)$/, state: /^(OPEN|CANCELLED|DISCONTINUED)$/ },
  kind: /^(MERGE|UNMERGE|MOVE)$/,
};
const DIGEST = /^[0-9a-f]{64}$/;
const CODE = /^[^\s:]{1,64}:[^\s]{1,64}$/u;

function framesOf(chunks: Iterable<Uint8Array>): Frame[] {
  const sut = new MllpFramer(BYTES_MAX / 2);
  const frames: Frame[] = [];
  for (const chunk of chunks) frames.push(...sut.push(Buffer.from(chunk)));
  const rest = sut.end();
  return rest ? [...frames, rest] : frames;
}

function checkKept({ orders, moves }: Plan): void {
  for (const row of [...orders, ...moves]) {
    for (const [name, value] of Object.entries(row) as [string, unknown][]) {
      // Whom it is about is for the vault.
      if (value === undefined || name === 'from' || name === 'into') continue;
      if (Array.isArray(value)) for (const code of value) match(String(code), CODE, name);
      else match(String(value), KEPT[name] ?? DIGEST, name);
    }
  }
}

function checkAnswers(header: Header, condition: number): void {
  const options = { atMs: 0, newId: () => 'a1' };
  const answers = answersTo(header, { condition, place: { segment: 'PID', field: 3 } }, options);
  ok(answers.length <= 2, 'more than two answers');
  for (const answer of answers) {
    ok(
      answer.every((byte) => byte < 0x7f && (byte >= 0x20 || byte === 0x0d)),
      'not ASCII',
    );
    strictEqual(framesOf([framed(answer)]).length, 1, 'not one frame');
    const read = readHeader(answer);
    ok(read, 'an answer without a header');
    const [msa] = parseMessage(answer, read).all('MSA');
    match(msa?.text(1) ?? '', condition === 0 ? /^[AC]A$/ : /^[AC][ER]$/);
  }
}

export const hl7Target: FuzzTarget = {
  name: 'hl7',
  covers: [FOLDER],
  maxBytes: BYTES_MAX,
  tokens: [
    ...['\v', '\x1c\r', '\r', 'MSH|^~\\&|', 'PID|', 'PD1|', 'EVN|', 'MRG|', 'ORC|NW|', 'OBR|'],
    ...['ORC|CA|', 'TQ1|', 'IPC|', 'ZDS|', 'CON|', 'PV1|', 'ORM^O01', 'OMI^O23^OMI_O23'],
    ...['ADT^A08', 'ADT^A31', 'ADT^A37', 'ADT^A40', 'ADT^A43', 'ADT^A45', 'ADT^A47'],
    ...['\\X0D\\', '\\T\\', '\\.br\\', '""', '^^^ZIS^PI', '8859/1', '8859/15', 'UNICODE UTF-8'],
    ...['20261105083000', '20261105083000.1234+0100', '19610402', '|AL|NE|', '|P|2.5'],
  ].map((token) => Uint8Array.from(Buffer.from(token, 'latin1'))),
  run(input) {
    const frames = framesOf([input]);
    deepStrictEqual(framesOf(chunksOf(input)), frames, 'other chunks make other frames');
    for (const { bytes, head } of frames) {
      const content = bytes ?? head;
      const header = content && readHeader(content);
      if (!content || !header) continue;
      const outcome = outcomeOf(() => PLANNER.plan(parseMessage(content, header), 'key', NO_ROWS));
      if (outcome.accepted) checkKept(outcome.value);
      checkAnswers(header, outcome.accepted ? 0 : 102);
    }
  },
  *seeds() {
    for (const name of readdirSync(MESSAGES).sort()) {
      yield Uint8Array.from(readFileSync(`${MESSAGES}${name}`));
    }
  },
};
