/**
 * A gateway's database with the HL7 intake in front of it, and what the ports were told.
 * Decides that whatever is logged is kept as text, so that a test can look for an identity in it.
 */
import { join } from 'node:path';
import { GATEWAY_MIGRATIONS, GatewayDatabase, type Sql } from '@aifi/gateway-database';
import { keyRingOf } from '@aifi/shared-site-keys';
import type { Clock } from '@aifi/shared-kernel';
import type { Logger } from '@aifi/shared-observability';
import { FakeClock, fakeSiteKeys, temporaryFolder } from '@aifi/shared-testing';
import { hl7ConfigSchema, type Hl7Config } from '../src/hl7.config.js';
import { MessageIntake, type IntakeDependencies } from '../src/message-intake.js';
import type { Hl7IdentityEvent, Hl7Move, Hl7Objection } from '../src/message-plan.js';

export const KEYS = keyRingOf(fakeSiteKeys());
export const SENDER = 'zis';

export function hl7Config(more: object = {}): Hl7Config {
  return hl7ConfigSchema.parse({
    port: 0,
    senders: [{ name: SENDER, host: '127.0.0.1', plain: true }],
    patientNumbers: [{ authority: 'ZIS', issuer: 'ZKH' }],
    ignoredEvents: ['A01'],
    consent: {
      types: { 'AI-ZORG': ['ai-in-own-care'], ONDERZOEK: ['secondary-use'] },
      protection: ['sharing'],
    },
    ...more,
  });
}

export class Hl7World {
  readonly #folder = temporaryFolder('hl7');
  readonly path = join(this.#folder.path, 'gateway.db');
  readonly database = GatewayDatabase.open(this.path, GATEWAY_MIGRATIONS);
  readonly events: Hl7IdentityEvent[] = [];
  readonly objections: Hl7Objection[] = [];
  readonly moved: Hl7Move[] = [];
  readonly logged: string[] = [];
  readonly dependencies: IntakeDependencies;
  readonly intake: MessageIntake;
  /** Fault of the next identity event. */
  fault: Error | undefined;
  /** Studies that were received, by accession key. */
  readonly received = new Map<string, string>();

  constructor(
    config: Hl7Config = hl7Config(),
    readonly clock: Clock = new FakeClock(),
  ) {
    this.dependencies = {
      ...{ database: this.database, keys: KEYS, config, clock: this.clock },
      logger: this.#logger(),
      ports: {
        onIdentityEvent: (event) => {
          const { fault } = this;
          this.fault = undefined;
          if (fault) return Promise.reject(fault);
          this.events.push(event);
          return Promise.resolve();
        },
        recordObjection: (_sql, objection) => void this.objections.push(objection),
        moveObjections: (_sql, move) => void this.moved.push(move),
        studiesOf: (_sql, keys) => keys.flatMap((key) => this.received.get(key) ?? []),
      },
    };
    this.intake = new MessageIntake(this.dependencies);
  }

  read<T>(work: (sql: Sql) => T): T {
    return this.database.read(work);
  }
  close(): void {
    this.database.close();
    this.#folder.remove();
  }

  #logger(): Logger {
    const keep = (...words: unknown[]): void => {
      const texts = words.map((word) => (word instanceof Error ? textOf(word) : word));
      this.logged.push(JSON.stringify(texts));
    };
    const logger: Logger = {
      ...{ info: keep, warn: keep, error: keep, fault: keep },
      child: () => logger,
    };
    return logger;
  }
}

/** Causes included, as far as they go. */
function textOf(error: Error): string {
  const { stack = '', cause } = error;
  return `${stack} ${cause instanceof Error ? textOf(cause) : JSON.stringify(cause)}`;
}

/** MSA-1 and the code of ERR of an answer. */
export function readAnswer(answer: Buffer): {
  readonly code: string;
  readonly id: string;
  readonly condition: number;
  readonly segments: string[][];
} {
  const text = answer.toString('latin1');
  const field = text[3]!;
  const segments = text.split('\r').map((segment) => segment.split(field));
  const of = (name: string): string[] => segments.find(([is]) => is === name) ?? [];
  const [, code = '', id = ''] = of('MSA');
  const [, old = '', , coded = ''] = of('ERR');
  const condition = /(?:^|[^0-9])(\d{3})[^0-9]/.exec(`${old} ${coded} `)?.[1] ?? '0';
  return { code, id, condition: Number(condition), segments };
}
