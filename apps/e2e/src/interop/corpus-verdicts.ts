/**
 * Verdicts on the files of the shared test data: ours, dcmdump's and Orthanc's.
 * Decides how a verdict is written down, so that a table of them can be committed and compared.
 * dcmdump loads every value and every item and fails at the first that does not fit; it looks at
 * no pixel data length and repairs a few odd encodings. Orthanc wants the identifiers as well.
 * Source: security specification 4 (differential rule: no Success where both others reject).
 */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { promisify } from 'node:util';
import { objectOf, sharedPath } from './dicom-files.js';
import { OrthancPeer } from './orthanc.js';
import { onePdvPerPdu } from './framings.js';
import { rawStoreCommand } from './raw-encoding.js';
import { RawSender } from './raw-sender.js';
import { CALLED, type Receiver, type RefusalCount } from './receiver.js';

const run = promisify(execFile);
export const CALLER = 'CORPUS';
const PDU_BYTES = 16_384;
/** Room of a bounded wait for a row that is written behind the answer. */
const LOOKS_MAX = 2_000;
const LOOK_MS = 5;

export interface CorpusVerdict {
  /** DIMSE status in hex; or context-N, rejected, aborted, closed, silent. */
  readonly status: string;
  /** Code of the refusal; absent when the file was taken. */
  readonly code?: string;
  /** What is wrong with the object, in the words of the refusal. */
  readonly reason?: string;
  readonly dcmdump: 'accepts' | 'rejects';
  readonly orthanc: 'stores' | 'rejects' | 'crashes';
}
export type OwnVerdict = Pick<CorpusVerdict, 'status' | 'code' | 'reason'> & {
  readonly tookMs: number;
};

/** Sends one file to the listener and says what came of it. */
export async function ownVerdict(receiver: Receiver, path: string): Promise<OwnVerdict> {
  const before = receiver.refusals();
  const startedMs = performance.now();
  const status = await offer(receiver.port, path);
  const tookMs = performance.now() - startedMs;
  if (status === '0000') return { status, tookMs };
  for (let look = 0; look < LOOKS_MAX; look += 1) {
    const refusal = added(before, receiver.refusals());
    if (refusal) {
      const { code, reason } = refusal;
      return { status, code, ...(reason !== '' && { reason }), tookMs };
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  return { status, tookMs };
}

async function offer(port: number, path: string): Promise<string> {
  const object = objectOf(readFileSync(sharedPath(path)));
  const peer = { port, calledAeTitle: CALLED, callingAeTitle: CALLER };
  const context = {
    abstractSyntaxUid: object.sopClassUid,
    transferSyntaxUids: [object.transferSyntaxUid],
  };
  const { sender, opening } = await RawSender.open(peer, [context]);
  try {
    if (opening.kind !== 'accepted') return opening.kind;
    const [result] = opening.results;
    if (result !== 0) return `context-${result}`;
    const message = {
      contextId: 1,
      command: rawStoreCommand(object, 1),
      dataset: object.dataset,
    };
    for (const pdu of onePdvPerPdu(PDU_BYTES)(message)) await sender.write(pdu);
    const answer = await sender.answer();
    if (answer.kind !== 'status') return answer.kind;
    await sender.close();
    return answer.status.toString(16).padStart(4, '0');
  } finally {
    sender.socket.destroy();
  }
}

/** The refusal whose count has grown. */
function added(before: readonly RefusalCount[], after: readonly RefusalCount[]) {
  const keyOf = ({ what, code, dimseStatus, reason }: RefusalCount) =>
    [what, code, dimseStatus, reason].join();
  return after.find((one) => {
    const known = before.find((other) => keyOf(other) === keyOf(one));
    return one.count > (known?.count ?? 0);
  });
}

/** True for every file that dcmdump reads to its end without an error. */
export async function dcmdumpAccepts(paths: readonly string[]): Promise<Map<string, boolean>> {
  const verdicts = new Map<string, boolean>();
  const left = [...paths];
  const work = async (): Promise<void> => {
    for (let path = left.shift(); path !== undefined; path = left.shift()) {
      // +M: long values (pixel data, fragments) are read too, whether printed or not.
      const accepts = await run('dcmdump', ['-q', '+M', sharedPath(path)], {
        maxBuffer: 256 * 1024 * 1024,
        encoding: 'latin1',
      }).then(
        () => true,
        () => false,
      );
      verdicts.set(path, accepts);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  return verdicts;
}

/** What Orthanc does with each file. One that ends Orthanc is told apart: a new one goes on. */
export async function orthancVerdicts(
  paths: readonly string[],
): Promise<{ verdicts: Map<string, CorpusVerdict['orthanc']>; version: string }> {
  const verdicts = new Map<string, CorpusVerdict['orthanc']>();
  let orthanc = await OrthancPeer.start();
  const { Version: version } = await orthanc.get<{ Version: string }>('/system');
  try {
    for (const path of paths) {
      const upload = orthanc.upload(readFileSync(sharedPath(path)));
      const verdict = await upload.then(
        (id) => (id === undefined ? 'rejects' : 'stores'),
        () => 'crashes',
      );
      verdicts.set(path, verdict as CorpusVerdict['orthanc']);
      if (verdict !== 'crashes') continue;
      await orthanc.close();
      orthanc = await OrthancPeer.start();
    }
  } finally {
    await orthanc.close();
  }
  return { verdicts, version };
}

export async function dcmdumpVersion(): Promise<string> {
  const { stdout } = await run('dcmdump', ['--version']);
  return /v(\S+)/.exec(stdout)?.[1] ?? '';
}
