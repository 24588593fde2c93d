/**
 * C-MOVE and C-GET on an association that is open, from the question to the final answer.
 * Decides what a provider may do meanwhile: count, and for C-GET store objects with us, each of
 * which streams into its sink and is answered when that said so. Invariants: dataset bytes are
 * views of what came, in order; more objects than there can be is a breach; a cancel ends in the
 * provider's last answer or in its grace.
 * Source: PS3.4 C.4.2, C.4.3; PS3.7 9.1.3, 9.1.4, 9.3.2.3; reliability specification F1, F6.
 */
import { DicomDataset, encodeDataset, encodingOf } from '@aifi/dicom-core';
import { AifiError, type Clock } from '@aifi/shared-kernel';
import { contextIdOf, type ProposedContext } from './associate.js';
import { encodeResponsePdu, RESPONSE_FIELD } from './command-response.js';
import {
  COMMAND_BYTES_MAX,
  COMMAND_FIELD,
  decodeCommand,
  encodeCancel,
  encodeRequest,
  type DimseCommand,
  type SubOperations,
} from './command-set.js';
import { statusOf } from './find-exchange.js';
import { MessageBuffer } from './message-buffer.js';
import type { Pdv } from './pdu.js';
import type { ScuAssociation } from './scu-association.js';
import { nonsense } from './scu-connection.js';
import { StoreExchange, type StoreHandler } from './store-exchange.js';

const MESSAGE_ID = 1;
const PENDING = 0xff00;
/** Answers beside one for each object: a provider may tell the time. */
const ANSWERS_BESIDE_MAX = 10_000;
/** The list of instances that failed: 64 bytes each, of the largest study. @unit bytes */
const IDENTIFIER_BYTES_MAX = 4 * 1024 * 1024;

export interface RetrieveTarget {
  readonly studyInstanceUid: string;
  /** Absent: the whole study. */
  readonly seriesInstanceUid?: string | undefined;
}
export interface RetrieveOutcome {
  /** Of the final answer. */
  readonly status: number;
  /** As the provider counted last. */
  readonly subOperations: SubOperations;
  /** Answers that said that it goes on. */
  readonly pending: number;
  /** Objects that were sent to us on this association. */
  readonly objects: number;
}
export interface CancelTerms {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** How long the provider may take to end after a cancel. @unit ms */
  readonly graceMs: number;
}

export async function sendRetrieve(
  to: ScuAssociation,
  target: RetrieveTarget,
  request: { readonly sopClassUid: string; readonly moveDestination?: string },
): Promise<void> {
  const { studyInstanceUid, seriesInstanceUid } = target;
  const identifier = new DicomDataset()
    .setString('QueryRetrieveLevel', seriesInstanceUid === undefined ? 'STUDY' : 'SERIES')
    .setString('StudyInstanceUID', studyInstanceUid);
  if (seriesInstanceUid !== undefined) identifier.setString('SeriesInstanceUID', seriesInstanceUid);
  const { sopClassUid: affectedSopClassUid, moveDestination } = request;
  const field = moveDestination ? COMMAND_FIELD.moveRequest : COMMAND_FIELD.getRequest;
  const command = { field, messageId: MESSAGE_ID, hasDataset: true, affectedSopClassUid };
  await to.send(
    encodeRequest({ ...command, ...(moveDestination && { moveDestination }) }),
    encodeDataset(identifier, encodingOf(to.transferSyntaxUid)),
  );
}

/** `work`, or the fault of a provider that does not end although it was cancelled. */
export async function cancellable<T>(
  to: ScuAssociation,
  work: Promise<T>,
  { clock, signal, graceMs }: CancelTerms,
): Promise<T> {
  const over = new AbortController();
  const { promise, reject } = Promise.withResolvers<never>();
  promise.catch(() => undefined);
  const cancel = async (): Promise<void> => {
    // A connection that is gone ends `work` by itself.
    await to.send(encodeCancel(MESSAGE_ID)).catch(() => undefined);
    await clock.sleep(graceMs, over.signal);
    if (!over.signal.aborted) reject(new AifiError('DEADLINE_EXCEEDED', 'cancelled, not ended'));
  };
  const onAbort = (): void => void cancel();
  if (signal.aborted) onAbort();
  else signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
    over.abort();
  }
}

/** What the provider says of how far it is. */
export class Answers {
  #pending = 0;
  #counts: SubOperations = { remaining: 0, completed: 0, failed: 0, warning: 0 };

  constructor(
    private readonly field: number,
    private readonly objectsMax: number,
  ) {}

  /** The final answer; undefined: it goes on. */
  take(command: DimseCommand, objects: number): RetrieveOutcome | undefined {
    const status = statusOf({ command, dataset: undefined }, this.field, MESSAGE_ID);
    const counts = command.subOperations ?? this.#counts;
    const { completed, failed, warning } = counts;
    if (completed + failed + warning > this.objectsMax) throw nonsense('more than was announced');
    this.#counts = counts;
    if (status !== PENDING) {
      return { status, subOperations: counts, pending: this.#pending, objects };
    }
    this.#pending += 1;
    if (this.#pending > this.objectsMax + ANSWERS_BESIDE_MAX) throw nonsense('too many answers');
    return undefined;
  }
}

/** Answers to a C-MOVE: the objects themselves go to our listener. */
export async function awaitMove(to: ScuAssociation, objectsMax: number): Promise<RetrieveOutcome> {
  const answers = new Answers(COMMAND_FIELD.moveRequest, objectsMax);
  for (;;) {
    const outcome = answers.take((await to.receive()).command, 0);
    if (outcome) return outcome;
  }
}

export interface GetTerms {
  readonly storage: readonly ProposedContext[];
  readonly handler: StoreHandler;
  readonly peer: { readonly callingAeTitle: string; readonly peerAddress: string };
  readonly objectsMax: number;
}

/** A message whose last fragment has not come yet. */
interface OpenMessage {
  readonly contextId: number;
  readonly isCommand: boolean;
  /** The request whose dataset it is; absent for a command and for what is not stored. */
  readonly storing?: DimseCommand;
  /** The answer whose dataset it is. */
  readonly answer?: DimseCommand;
  readonly parts: MessageBuffer;
}

/** Answers to a C-GET, and the objects that come between them. */
export class GetExchange {
  readonly #store: StoreExchange;
  readonly #answers: Answers;
  #open: OpenMessage | undefined;
  #objects = 0;

  constructor(
    private readonly to: ScuAssociation,
    private readonly terms: GetTerms,
  ) {
    // The status of a fault is the answer; nobody else has to hear of it.
    this.#store = new StoreExchange(terms.handler, () => undefined);
    this.#answers = new Answers(COMMAND_FIELD.getRequest, terms.objectsMax);
  }

  async run(): Promise<RetrieveOutcome> {
    try {
      for (;;) {
        const outcome = await this.#take(await this.to.nextFragment());
        if (outcome) return outcome;
      }
    } finally {
      await this.#store.drop();
    }
  }

  async #take(pdv: Pdv): Promise<RetrieveOutcome | undefined> {
    const { contextId } = pdv;
    this.#open ??= { contextId, isCommand: true, parts: new MessageBuffer(COMMAND_BYTES_MAX) };
    const open = this.#open;
    if (contextId !== open.contextId || pdv.isCommand !== open.isCommand) {
      throw nonsense('a fragment out of place');
    }
    if (open.storing) await this.#store.write(pdv.value);
    else open.parts.append(pdv.value);
    this.to.progress();
    if (!pdv.isLast) return undefined;
    this.#open = undefined;
    if (open.isCommand) return this.#command(contextId, decodeCommand(open.parts.take()));
    if (open.answer) return this.#answers.take(open.answer, this.#objects);
    return this.#stored(contextId, open.storing!);
  }

  async #command(contextId: number, command: DimseCommand): Promise<RetrieveOutcome | undefined> {
    if (command.field === COMMAND_FIELD.storeRequest) {
      await this.#begin(contextId, command);
      return undefined;
    }
    if (contextId !== this.to.contextId) throw nonsense('an answer on another context');
    if (!command.hasDataset) return this.#answers.take(command, this.#objects);
    const parts = new MessageBuffer(IDENTIFIER_BYTES_MAX);
    this.#open = { contextId, isCommand: false, answer: command, parts };
    return undefined;
  }

  async #begin(contextId: number, command: DimseCommand): Promise<void> {
    const { storage, peer, objectsMax } = this.terms;
    const transferSyntaxUid = this.to.storageSyntaxOf(contextId);
    const proposed = storage.find((_, index) => contextIdOf(index + 1) === contextId);
    if (transferSyntaxUid === undefined || !proposed || !command.hasDataset) {
      throw nonsense('a store request out of place');
    }
    this.#objects += 1;
    if (this.#objects > objectsMax) throw nonsense('more than was announced');
    const { abstractSyntaxUid } = proposed;
    const event = { kind: 'store-request', contextId, command } as const;
    await this.#store.begin(
      { ...event, abstractSyntaxUid, transferSyntaxUid },
      { ...peer, calledAeTitle: '' },
    );
    const parts = new MessageBuffer(0);
    this.#open = { contextId, isCommand: false, storing: command, parts };
  }

  async #stored(contextId: number, command: DimseCommand): Promise<undefined> {
    const { messageId, affectedSopClassUid, affectedSopInstanceUid } = command;
    const status = await this.#store.end();
    this.to.progress();
    const uids = { affectedSopClassUid, affectedSopInstanceUid };
    const answer = { field: RESPONSE_FIELD.store, contextId, messageId, status, ...uids };
    await this.to.answer(encodeResponsePdu(answer));
    return undefined;
  }
}
