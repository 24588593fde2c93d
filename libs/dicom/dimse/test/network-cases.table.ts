/**
 * Network cases: what a hostile or broken peer sends, and the one answer that it must get.
 * Decides the verdict of every case of the security specification that bytes alone can make; the
 * ones that need time, numbers or TLS are suites of their own.
 * Source: security specification 4 (DICOM network); PS3.8 9.2.4 and 9.3.8 (abort reasons).
 */
import { LIMITS } from '@aifi/shared-kernel';
import {
  ABORT,
  APPLICATION_CONTEXT,
  ascii,
  associate,
  COMMITMENT,
  commandSet,
  context,
  CONTEXTS,
  CT,
  dataset,
  echo,
  element,
  EXPLICIT,
  IMPLEMENTATION,
  IMPLICIT,
  item,
  MAXIMUM_LENGTH,
  MR,
  pData,
  pdv,
  pduHeader,
  RELEASE,
  RELEASE_RESPONSE,
  role,
  store,
  storeCommand,
  uint16,
  userInformation,
  VERIFICATION,
} from './wire.js';

export interface NetworkCase {
  readonly title: string;
  /** All of it is written at once. */
  readonly sends: Buffer;
  /** What comes back, in order. After the last one the peer releases and is answered, or... */
  readonly answers: readonly string[];
  /** ...the connection is over. */
  readonly ends?: boolean;
}

const INVALID = 'abort 2/6';
const UNEXPECTED = 'abort 2/2';
const UNRECOGNISED = 'abort 2/1';
const UNSPECIFIED = 'abort 2/0';
const ACCEPTED = 'accept 1:0 3:0';
const LONG_UID = `1.${'2'.repeat(63)}`;
const over = (title: string, sends: Buffer, answer: string): NetworkCase => ({
  title,
  sends,
  answers: answer === 'closed' ? [] : [answer],
  ends: true,
});

/** Bytes that are sent instead of, or as, the A-ASSOCIATE-RQ. */
export const ASSOCIATE_CASES: readonly NetworkCase[] = [
  over('protocol version 0', associate({ version: 0 }), 'reject 1/2/2'),
  over('protocol version 2 only', associate({ version: 2 }), 'reject 1/2/2'),
  { title: 'protocol versions 1 and 2', sends: associate({ version: 3 }), answers: [ACCEPTED] },
  ...[0, 1, 5].map((length) =>
    over(`A-ASSOCIATE-RQ of ${length} bytes`, pduHeader(1, length, Buffer.alloc(length)), INVALID),
  ),
  ...[2 ** 31, 2 ** 32 - 1, 64 * 1024 + 1].map((length) =>
    over(`A-ASSOCIATE-RQ of ${length} bytes`, pduHeader(1, length), INVALID),
  ),
  over('fixed fields cut short', pduHeader(1, 67, Buffer.alloc(67, 1)), INVALID),
  over(
    'another application context',
    associate({ applicationContext: item(0x10, ascii('1.2.840.10008.3.1.1.2')) }),
    'reject 1/1/2',
  ),
  over('no application context', associate({ applicationContext: Buffer.alloc(0) }), INVALID),
  over(
    'two application contexts',
    associate({ more: [item(0x10, ascii(APPLICATION_CONTEXT))] }),
    INVALID,
  ),
  over('item that runs past the PDU', associate({ more: [Buffer.from([0x60, 0, 0, 9])] }), INVALID),
  over('item header that is cut', associate({ more: [Buffer.from([0x60, 0])] }), INVALID),
  over(
    'presentation context that runs past the PDU',
    associate({ more: [Buffer.from([0x20, 0, 255, 255, 5, 0, 0, 0])] }),
    INVALID,
  ),
  over(
    'syntax that runs past its context',
    associate({ contexts: [item(0x20, Buffer.from([1, 0, 0, 0, 0x30, 0, 0, 99]))] }),
    INVALID,
  ),
  over(
    'user item that runs past its parent',
    associate({ userInformation: userInformation(Buffer.from([0x56, 0, 0, 9])) }),
    INVALID,
  ),
  over(
    'role selection whose UID runs past its item',
    associate({ userInformation: userInformation(item(0x54, Buffer.from([0, 99, 49, 1, 1]))) }),
    INVALID,
  ),
  {
    title: 'user information in itself, 60 times',
    sends: associate({
      userInformation: userInformation(
        Array.from({ length: 60 }).reduce<Buffer>((inner) => item(0x50, inner), Buffer.alloc(0)),
      ),
    }),
    answers: [ACCEPTED],
  },
  {
    title: '10,000 empty items',
    sends: associate({ more: [Buffer.alloc(40_000, Buffer.from([0x60, 0, 0, 0]))] }),
    answers: [ACCEPTED],
  },
  over('user information twice', associate({ more: [userInformation()] }), INVALID),
  over('no user information', associate({ userInformation: Buffer.alloc(0) }), INVALID),
  over('no maximum length', associate({ userInformation: item(0x50, IMPLEMENTATION) }), INVALID),
  over(
    'maximum length of two bytes',
    associate({ userInformation: item(0x50, item(0x51, Buffer.alloc(2)), IMPLEMENTATION) }),
    INVALID,
  ),
  over(
    'no implementation class',
    associate({ userInformation: item(0x50, MAXIMUM_LENGTH) }),
    INVALID,
  ),
  over('no presentation context', associate({ contexts: [] }), INVALID),
  {
    title: '128 presentation contexts',
    sends: associate({ contexts: Array.from({ length: 128 }, (_, i) => context(2 * i + 1)) }),
    answers: [`accept${Array.from({ length: 128 }, (_, i) => ` ${2 * i + 1}:0`).join('')}`],
  },
  over(
    '129 presentation contexts',
    associate({ contexts: Array.from({ length: 129 }, (_, i) => context((2 * i + 1) & 0xff)) }),
    INVALID,
  ),
  over('an even context id', associate({ contexts: [context(2)] }), INVALID),
  over('context id 0', associate({ contexts: [context(0)] }), INVALID),
  over('a context id twice', associate({ contexts: [context(1), context(1, MR)] }), INVALID),
  over(
    'a context without abstract syntax',
    associate({ contexts: [item(0x20, Buffer.from([1, 0, 0, 0]), item(0x40, ascii(EXPLICIT)))] }),
    INVALID,
  ),
  over(
    'a context with two abstract syntaxes',
    associate({ contexts: [item(0x20, context(1).subarray(4), item(0x30, ascii(MR)))] }),
    INVALID,
  ),
  over('a context without transfer syntax', associate({ contexts: [context(1, CT, [])] }), INVALID),
  {
    title: 'contexts that are not in ascending order',
    sends: Buffer.concat([
      associate({ contexts: [context(7), context(1), context(5, MR), context(3, VERIFICATION)] }),
      store(1),
      pData(pdv(7, 'command', commandSet({ messageId: 2 }))),
      pData(pdv(7, 'data', dataset())),
    ]),
    answers: ['accept 1:0 3:0 5:0 7:0', 'store#1 0000', 'store#2 0000'],
  },
  {
    title: 'unknown transfer syntax and unknown SOP class',
    sends: associate({
      contexts: [context(1, CT, ['1.2.3']), context(3, '1.2.3.4'), context(5)],
    }),
    answers: ['accept 1:4 3:3 5:0'],
  },
  {
    title: 'storage commitment with us as SCP (H10)',
    sends: associate({ contexts: [context(1, COMMITMENT, [IMPLICIT]), context(3)] }),
    answers: ['accept 1:3 3:0'],
  },
  {
    title: 'storage commitment of an SCP that may not report',
    sends: associate({
      contexts: [context(1, COMMITMENT, [IMPLICIT]), context(3)],
      userInformation: userInformation(role(COMMITMENT, 0, 1)),
    }),
    answers: ['accept 1:3 3:0'],
  },
  over('an abstract syntax of 65', associate({ contexts: [context(1, LONG_UID)] }), INVALID),
  over('a transfer syntax of 65', associate({ contexts: [context(1, CT, [LONG_UID])] }), INVALID),
  over('a NUL inside a UID', associate({ contexts: [context(1, `${CT}\0.1`)] }), INVALID),
  over('`../` in a UID', associate({ contexts: [context(1, '1.2/../3')] }), INVALID),
  {
    title: 'UIDs padded with NUL',
    sends: associate({ contexts: [context(1, `${CT}\0`, [`${EXPLICIT}\0`])] }),
    answers: ['accept 1:0'],
  },
  over('an empty calling AE title', associate({ calling: '' }), INVALID),
  over('an empty called AE title', associate({ called: '' }), INVALID),
  {
    title: 'a calling AE title of 16 bytes',
    sends: associate({ calling: 'SIXTEEN_BYTES_AE' }),
    answers: [ACCEPTED],
  },
  over('a calling AE title of 17 bytes', associate({ calling: 'SEVENTEEN_BYTES_A' }), INVALID),
  over('a calling AE title that is not ASCII', associate({ calling: 'PE\u00cbR' }), INVALID),
  over('a control character in an AE title', associate({ calling: 'PE\x07R' }), INVALID),
  over('a backslash in an AE title', associate({ calling: 'PE\\R' }), INVALID),
  over('`../` in the calling AE title', associate({ calling: '../PEER' }), 'reject 1/1/3'),
  over('`../` in the called AE title', associate({ called: '../SUT' }), 'reject 1/1/7'),
  over('P-DATA before an association', pData(storeCommand()), UNEXPECTED),
  over('a release before an association', RELEASE, UNEXPECTED),
  over('an A-ASSOCIATE-AC', pduHeader(2, 4, Buffer.alloc(4)), UNEXPECTED),
  over('an A-ASSOCIATE-RJ', pduHeader(3, 4, Buffer.alloc(4)), UNEXPECTED),
  over('an abort before an association', ABORT, 'closed'),
  ...[0, 8, 0x16, 0x47, 255].map((type) =>
    over(`a PDU of type ${type}`, pduHeader(type, 4, Buffer.alloc(4)), UNRECOGNISED),
  ),
];

const withoutElement = (number: number): Buffer => {
  const parts: Record<number, Buffer> = {
    0x0002: element(0x0002, ascii(CT + '\0')),
    0x0100: element(0x0100, uint16(0x0001)),
    0x0110: element(0x0110, uint16(1)),
    0x0800: element(0x0800, uint16(0x0001)),
    0x1000: element(0x1000, ascii('1.2.3.4\0')),
  };
  const kept = Object.entries(parts).filter(([key]) => Number(key) !== number);
  return Buffer.concat(kept.map(([, value]) => value));
};
const storeOf = (command: Buffer, bytes = dataset()): Buffer =>
  Buffer.concat([pData(pdv(1, 'command', command)), pData(pdv(1, 'data', bytes))]);
const commandOnly = (command: Buffer): Buffer => pData(pdv(1, 'command', command));
const inPieces = (bytes: Buffer, size: number, kind: 'command' | 'data'): Buffer =>
  Buffer.concat(
    Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => {
      const last = (i + 1) * size >= bytes.length;
      return pData(pdv(1, kind, bytes.subarray(i * size, (i + 1) * size), last));
    }),
  );

/** Bytes that follow an accepted association of CONTEXTS. */
export const MESSAGE_CASES: readonly NetworkCase[] = [
  ...[0, 1, 5].map((length) =>
    over(`P-DATA of ${length} bytes`, pduHeader(4, length, Buffer.alloc(length)), INVALID),
  ),
  ...[LIMITS.pduReceiveBytesMax + 65, 2 ** 31, 2 ** 32 - 1].map((length) =>
    over(`P-DATA of ${length} bytes`, pduHeader(4, length), INVALID),
  ),
  ...[0, 1, 5, 2 ** 32 - 1].map((length) =>
    over(`a release of ${length} bytes`, pduHeader(5, length), INVALID),
  ),
  over('PDV of 0 bytes', pduHeader(4, 6, Buffer.from([0, 0, 0, 0, 1, 3])), INVALID),
  over('PDV of 1 byte', pduHeader(4, 6, Buffer.from([0, 0, 0, 1, 1, 3])), INVALID),
  over('PDV past its PDU', pduHeader(4, 7, Buffer.from([0, 0, 0, 9, 1, 3, 0])), INVALID),
  over('PDV of 2^32-1 bytes', pduHeader(4, 7, Buffer.from([255, 255, 255, 255, 1, 3, 0])), INVALID),
  over(
    'a PDU that ends inside a PDV header',
    pduHeader(4, 11, Buffer.from([0, 0, 0, 2, 1, 1, 0, 0, 0, 9, 1])),
    INVALID,
  ),
  over('a context that was not accepted', pData(pdv(5, 'command', commandSet())), INVALID),
  over('a dataset without command', pData(pdv(1, 'data', dataset())), UNEXPECTED),
  over(
    'a command inside a dataset',
    pData(storeCommand(), pdv(1, 'data', dataset(), false), storeCommand()),
    UNEXPECTED,
  ),
  over(
    'another context inside a dataset',
    pData(storeCommand(), pdv(3, 'data', dataset())),
    UNEXPECTED,
  ),
  over(
    'a dataset inside a command',
    pData(pdv(1, 'command', commandSet().subarray(0, 20), false), pdv(1, 'data', dataset())),
    UNEXPECTED,
  ),
  over('a command set cut short', commandOnly(commandSet().subarray(0, -3)), UNSPECIFIED),
  over('an empty command set', commandOnly(Buffer.alloc(0)), UNSPECIFIED),
  over('a command set of noise', commandOnly(Buffer.alloc(64, 0xa5)), UNSPECIFIED),
  over('a command of over 16 KiB', commandOnly(Buffer.alloc(16 * 1024 + 2)), INVALID),
  over('a command without its field', commandOnly(withoutElement(0x0100)), UNSPECIFIED),
  over('a command without its id', commandOnly(withoutElement(0x0110)), UNSPECIFIED),
  over('a command without data set type', commandOnly(withoutElement(0x0800)), UNSPECIFIED),
  over('a C-STORE without dataset', commandOnly(commandSet({ hasDataset: false })), UNEXPECTED),
  over('a C-ECHO with dataset', commandOnly(commandSet({ field: 0x30 })), UNEXPECTED),
  ...[0x0010, 0x0020, 0x0021, 0x0100, 0x0110, 0x0120, 0x0130, 0x0140, 0x0150, 0x8001, 0x7777].map(
    (field) =>
      over(`operation ${field.toString(16)}`, commandOnly(commandSet({ field })), UNEXPECTED),
  ),
  {
    title: 'no Affected SOP Class UID (0000,0002)',
    sends: storeOf(withoutElement(0x0002)),
    answers: ['store#1 0122'],
  },
  {
    title: 'no Affected SOP Instance UID (0000,1000)',
    sends: storeOf(withoutElement(0x1000)),
    answers: ['store#1 c000'],
  },
  ...[LONG_UID, '1.2\0.3', '../../etc/passwd', `1.${'2'.repeat(8_000)}`].map((uid) => ({
    title: `instance UID ${JSON.stringify(uid.slice(0, 20))} of ${uid.length}`,
    sends: storeOf(commandSet({ sopInstanceUid: uid })),
    answers: ['store#1 c000'],
  })),
  {
    title: 'a SOP class that was not negotiated',
    sends: storeOf(commandSet({ sopClassUid: MR })),
    answers: ['store#1 0122'],
  },
  {
    title: 'a dataset of another instance than its command',
    sends: storeOf(commandSet(), dataset('1.2.3.5')),
    answers: ['store#1 a900'],
  },
  {
    title: 'command and dataset in one PDU, two PDVs of data',
    sends: pData(
      storeCommand(),
      pdv(1, 'data', dataset().subarray(0, 8), false),
      pdv(1, 'data', dataset().subarray(8)),
    ),
    answers: ['store#1 0000'],
  },
  {
    title: 'PDVs of no length before, between and after',
    sends: pData(
      pdv(1, 'command', Buffer.alloc(0), false),
      storeCommand(),
      pdv(1, 'data', Buffer.alloc(0), false),
      pdv(1, 'data', dataset(), false),
      pdv(1, 'data', Buffer.alloc(0)),
    ),
    answers: ['store#1 0000'],
  },
  {
    title: 'PDVs of one byte',
    sends: Buffer.concat([inPieces(commandSet(), 1, 'command'), inPieces(dataset(), 1, 'data')]),
    answers: ['store#1 0000'],
  },
  {
    title: '20,000 PDVs of no length',
    sends: pData(
      storeCommand(),
      ...Array<Buffer>(20_000).fill(pdv(1, 'data', Buffer.alloc(0), false)),
      pdv(1, 'data', dataset()),
    ),
    answers: ['store#1 0000'],
  },
  {
    title: 'an empty dataset',
    sends: storeOf(commandSet(), Buffer.alloc(0)),
    answers: ['store#1 a900'],
  },
  {
    title: 'a dataset after C-ECHO in the same PDU',
    sends: pData(echo(9).subarray(6), pdv(3, 'data', dataset())),
    answers: ['echo#9 0000', UNEXPECTED],
    ends: true,
  },
  {
    title: 'a C-STORE after C-ECHO in the same PDU',
    sends: pData(echo(9).subarray(6), storeCommand(4), pdv(1, 'data', dataset())),
    answers: ['echo#9 0000', 'store#4 0000'],
  },
  {
    title: 'pipelined C-STORE and C-ECHO',
    sends: Buffer.concat([
      store(1),
      echo(2),
      store(3),
      store(4, dataset('1.2')),
      echo(5),
      store(6),
    ]),
    answers: [
      'store#1 0000',
      'echo#2 0000',
      'store#3 0000',
      'store#4 a900',
      'echo#5 0000',
      'store#6 0000',
    ],
  },
  {
    title: 'a C-CANCEL, which has no answer',
    sends: Buffer.concat([commandOnly(commandSet({ field: 0x0fff, hasDataset: false })), echo(2)]),
    answers: ['echo#2 0000'],
  },
  over('a second A-ASSOCIATE-RQ', associate(), UNEXPECTED),
  over('an abort inside a dataset', Buffer.concat([pData(storeCommand()), ABORT]), 'closed'),
  over('a release inside a dataset', Buffer.concat([pData(storeCommand()), RELEASE]), UNEXPECTED),
  over('a release response that nobody asked for', RELEASE_RESPONSE, UNEXPECTED),
  {
    title: 'a release collision',
    sends: Buffer.concat([RELEASE, RELEASE]),
    answers: ['release', UNEXPECTED],
    ends: true,
  },
  {
    title: 'a C-STORE after the release',
    sends: Buffer.concat([RELEASE, store()]),
    answers: ['release', UNEXPECTED],
    ends: true,
  },
];

export { CONTEXTS };
