/**
 * MessageIntake: one message from its bytes to its answers.
 * Decides that a message is done wholly and once, and answered only after it is durable: identity
 * events first, each on record in the vault's own log under an id of this message, then everything
 * else in one transaction. A crash in between is healed by the same message again.
 * Invariants: no answer before the commit; one bad message changes nothing and stops nobody; no
 * value of a message in a log or an error.
 * Source: HL7 v2 chapter 2, 2.9; conventions "never answer before durable".
 */
import { randomBytes } from 'node:crypto';
import { recordMove, recordOrder } from '@aifi/gateway-orders';
import type { GatewayDatabase, Sql } from '@aifi/gateway-database';
import { crashPoint, type Clock } from '@aifi/shared-kernel';
import type { KeyRing } from '@aifi/shared-site-keys';
import type { Logger } from '@aifi/shared-observability';
import { answersTo, isWish } from './acknowledgement.js';
import type { Hl7Config } from './hl7.config.js';
import { Hl7Digests } from './hl7-digests.js';
import { MESSAGE_LIMITS, parseMessage, readHeader, type Hl7Header } from './hl7-message.js';
import { answerTo, refusalIn, refuse, type Refusal } from './hl7-refusal.js';
import {
  addToTally,
  isTaken,
  newlySaid,
  PendingTallies,
  recordTaken,
  type MessageKeys,
  type Outcome,
} from './message-log.store.js';
import {
  MESSAGE_TYPES,
  MessagePlanner,
  type Hl7IdentityEvent,
  type Hl7Move,
  type Hl7Objection,
  type MessagePlan,
} from './message-plan.js';

export interface IntakePorts {
  /** Makes an event about identity durable. Safe to repeat. */
  readonly onIdentityEvent: (event: Hl7IdentityEvent) => Promise<void>;
  /** Takes an objection, or its end, into the transaction. */
  readonly recordObjection?: (sql: Sql, objection: Hl7Objection) => void;
  /** Objections go with their patient, as orders do. */
  readonly moveObjections?: (sql: Sql, move: Hl7Move) => void;
  /** Studies that were received under these accession numbers. */
  readonly studiesOf?: (sql: Sql, accessionKeys: readonly string[]) => readonly string[];
}
export interface IntakeDependencies {
  readonly database: GatewayDatabase;
  readonly keys: KeyRing;
  readonly config: Hl7Config;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly ports: IntakePorts;
  /** MSH-10 of our answers. @default random */
  readonly newId?: () => string;
}

/** Answers to send; undefined: nobody can be answered. */
export type Answers = readonly Buffer[] | undefined;
export type Breach = 'no-end' | 'too-long';

const ACCEPTED: Refusal = { condition: 0 };

export class MessageIntake {
  readonly #tallies: PendingTallies;
  readonly #digests: Hl7Digests;
  readonly #planner: MessagePlanner;

  constructor(private readonly dependencies: IntakeDependencies) {
    const { database, keys, config, ports } = dependencies;
    this.#tallies = new PendingTallies(database);
    this.#digests = new Hl7Digests(keys);
    const studiesOf = ports.studiesOf ?? (() => []);
    this.#planner = new MessagePlanner({ config, keys, digests: this.#digests, studiesOf });
  }

  /** Takes a message; resolves when what it changes is durable. */
  async take(bytes: Buffer, sender: string): Promise<Answers> {
    const header = readHeader(bytes);
    if (!header) {
      this.count({ sender, type: '', answer: 'closed', detail: 'no-header' });
      return undefined;
    }
    const type = typeOf(header);
    // Whoever answers an answer never stops.
    if (isAnswer(header)) {
      this.count({ sender, type: '', answer: 'none', detail: 'answer' });
      return [];
    }
    const refusal = await this.#done(bytes, header, { sender, type }).catch((error: unknown) => {
      const found = refusalIn(error);
      if (found.condition === 207) this.dependencies.logger.fault('HL7 message not taken', error);
      return found;
    });
    if (refusal !== ACCEPTED) this.#refused({ sender, type }, refusal);
    return this.#answers(header, refusal);
  }

  /** A frame that is not whole, by its beginning. */
  broken(head: Buffer, breach: Breach, sender: string): Answers {
    const header = readHeader(head);
    if (!header || isAnswer(header)) {
      this.count({ sender, type: '', answer: 'closed', detail: breach });
      return undefined;
    }
    const refusal: Refusal = { condition: breach === 'too-long' ? 104 : 100 };
    this.#refused({ sender, type: typeOf(header) }, refusal);
    return this.#answers(header, refusal);
  }

  count(outcome: Outcome): void {
    this.#tallies.add(outcome, this.dependencies.clock.nowMs());
  }

  /** Writes what was counted since, and says it in the log: a line for each kind of outcome. */
  async flush(): Promise<void> {
    for (const { sender, type, answer, detail, count } of await this.#tallies.flush()) {
      const [state, status] = [`${sender} ${type}`.trim(), `${answer} ${detail}`];
      this.dependencies.logger.warn('HL7 not taken', { state, status, count });
    }
  }

  async #done(
    bytes: Buffer,
    header: Hl7Header,
    from: Pick<Outcome, 'sender' | 'type'>,
  ): Promise<Refusal> {
    const { database, clock, ports } = this.dependencies;
    checkHeader(header);
    const message = parseMessage(bytes, header);
    const keys = this.#keysOf(bytes, header);
    const outcome = { ...from, answer: 'AA', detail: 'taken' } as const;
    const plan = database.read((sql) =>
      isTaken(sql, keys) ? undefined : this.#planner.plan(message, keys.messageKey, sql),
    );
    for (const event of plan?.identityEvents ?? []) {
      crashPoint('gateway.messages.before-identity');
      await ports.onIdentityEvent(event);
      crashPoint('gateway.messages.after-identity');
    }
    crashPoint('gateway.messages.before-commit');
    await database.write((sql) => {
      const atMs = clock.nowMs();
      // The same message may have come over two connections.
      const isNew = plan !== undefined && !isTaken(sql, keys);
      addToTally(sql, isNew ? outcome : { ...outcome, detail: 'again' }, 1, atMs);
      if (isNew) this.#apply(sql, plan, keys, atMs);
    });
    crashPoint('gateway.messages.after-commit');
    return ACCEPTED;
  }

  #apply(sql: Sql, plan: MessagePlan, keys: MessageKeys, atMs: number): void {
    const { ports } = this.dependencies;
    recordTaken(sql, keys, atMs);
    for (const order of plan.orders) recordOrder(sql, order, atMs);
    for (const move of plan.moves) {
      recordMove(sql, move, atMs);
      ports.moveObjections?.(sql, move);
    }
    for (const said of plan.objections) {
      const kinds = newlySaid(sql, said);
      if (kinds.length > 0) ports.recordObjection?.(sql, { ...said, kinds });
    }
  }

  /** Sending application and facility make the message id one of the hospital. */
  #keysOf(bytes: Buffer, { fields }: Hl7Header): MessageKeys {
    const [application = '', facility = '', id = ''] = [fields[2], fields[3], fields[9]];
    return {
      messageKey: this.#digests.of('message', application, facility, id),
      contentKey: this.#digests.of('content', bytes),
    };
  }

  #refused(from: Pick<Outcome, 'sender' | 'type'>, { condition }: Refusal): void {
    const answer = answerTo(condition);
    this.count({ ...from, answer, detail: String(condition) });
  }
  #answers(header: Hl7Header, refusal: Refusal): Buffer[] {
    const { clock, newId = randomId } = this.dependencies;
    return answersTo(header, refusal, { atMs: clock.nowMs(), newId });
  }
}

/** What comes back in the answer has to fit, and has to be what it says. */
function checkHeader({ fields }: Hl7Header): void {
  for (const [index, value] of fields.entries()) {
    if (value.length > MESSAGE_LIMITS.headerValue) refuse(104, msh(index + 1));
  }
  if (/[^\x20-\x7e]/.test(fields[9] ?? '')) refuse(102, msh(10));
  for (const number of [15, 16]) {
    if (!isWish(fields[number - 1] ?? '')) refuse(103, msh(number));
  }
}
/** MSH-10 has 20 characters until version 2.4. */
const randomId = (): string => randomBytes(10).toString('hex');
const msh = (field: number) => ({ segment: 'MSH', field });

const typeParts = ({ fields, delimiters }: Hl7Header): string[] =>
  (fields[8] ?? '').split(delimiters.component);
const isAnswer = (header: Hl7Header): boolean => typeParts(header)[0] === 'ACK';
function typeOf(header: Hl7Header): string {
  const type = typeParts(header).slice(0, 2).join('^');
  return MESSAGE_TYPES.includes(type) ? type : '';
}
