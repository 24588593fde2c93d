/**
 * Whole C-STOREs of the raw sender: one association, its objects, each cut as its framing says.
 * Decides nothing: a context for each object in its own transfer syntax, answers in order.
 */
import type { Framing } from './framings.js';
import { rawStoreCommand, type RawObject } from './raw-encoding.js';
import { RawSender, type RawAnswer, type RawPeer } from './raw-sender.js';

/** Hands the bytes of the PDUs to TCP; the default is a PDU at a time. */
export type Segmenting = (bytes: Buffer) => Iterable<Buffer>;
export interface RawStore {
  readonly object: RawObject;
  readonly framing: Framing;
  readonly segmenting?: Segmenting;
}

/** Stores the objects over one association; the answer to each. */
export async function rawStore(peer: RawPeer, stores: readonly RawStore[]): Promise<RawAnswer[]> {
  const contexts = stores.map(({ object }) => ({
    abstractSyntaxUid: object.sopClassUid,
    transferSyntaxUids: [object.transferSyntaxUid],
  }));
  const { sender, opening } = await RawSender.open(peer, contexts);
  if (opening.kind !== 'accepted') throw new Error(`the association was ${opening.kind}`);
  const answers: RawAnswer[] = [];
  for (const [index, store] of stores.entries()) {
    if (opening.results[index] !== 0) throw new Error('a presentation context was refused');
    answers.push(await sendOne(sender, store, index));
  }
  await sender.close();
  return answers;
}

async function sendOne(sender: RawSender, store: RawStore, index: number): Promise<RawAnswer> {
  const { object, framing, segmenting } = store;
  const contextId = 2 * index + 1;
  const command = rawStoreCommand(object, index + 1);
  for (const pdu of framing({ contextId, command, dataset: object.dataset })) {
    for (const segment of segmenting?.(pdu) ?? [pdu]) await sender.write(segment);
  }
  return sender.answer();
}
