/**
 * The HL7 stage: listens while the gateway runs, writes what was counted, and forgets what is old.
 * Decides how long messages and orders are remembered.
 * Invariant: it stops when the messages in hand are answered and the counts are written.
 * Source: reliability specification F4; governance specification 4.3.
 */
import { readFile } from 'node:fs/promises';
import { expireOrders } from '@aifi/gateway-orders';
import { AifiError, pollingStage, Wake, type Stage } from '@aifi/shared-kernel';
import { MessageIntake, type IntakeDependencies } from './message-intake.js';
import { expireMessages } from './message-log.store.js';
import { MllpServer, type MllpPorts, type TlsMaterial } from './mllp-server.js';

const DAY_MS = 86_400_000;
/** A sender repeats a message within hours; a queue that stood still, within weeks. @unit ms */
const MESSAGES_KEPT_MS = 92 * DAY_MS;
/** Follow-up examinations are ordered a year ahead and more. @unit ms */
const ORDERS_KEPT_MS = 731 * DAY_MS;
/** @unit ms */
const FLUSH_MS = 5_000;
const EXPIRE_MS = 3_600_000;

export interface Hl7Stage extends Stage {
  /** Once it listens; rejects when the stage ends before. */
  readonly listening: Promise<MllpPorts>;
}

export function createHl7Stage(dependencies: IntakeDependencies): Hl7Stage {
  const { config, clock } = dependencies;
  const logger = dependencies.logger.child({ stage: 'hl7' });
  const intake = new MessageIntake({ ...dependencies, logger });
  const bookkeeping = createBookkeeping({ ...dependencies, logger }, intake);
  let settle!: { resolve: (ports: MllpPorts) => void; reject: (error: unknown) => void };
  const listening = new Promise<MllpPorts>((resolve, reject) => (settle = { resolve, reject }));
  // Whoever does not wait for it must not be killed by it.
  listening.catch(() => undefined);
  const run = async (signal: AbortSignal): Promise<void> => {
    try {
      const server = new MllpServer({ config, intake, clock, tls: await readTls(config.tls) });
      settle.resolve(await server.listen());
      await bookkeeping.run(signal);
      await server.close();
    } catch (error) {
      settle.reject(error);
      throw error;
    }
    await intake.flush().catch((error: unknown) => {
      logger.fault('counts of HL7 messages are lost', error);
    });
  };
  return { name: 'hl7', listening, run };
}

function createBookkeeping(dependencies: IntakeDependencies, intake: MessageIntake): Stage {
  const { database, clock, logger } = dependencies;
  let expiredMs = -Infinity;
  return pollingStage({
    ...{ name: 'hl7-counts', clock, wake: new Wake(), intervalMs: FLUSH_MS },
    onFault: (error) => logger.fault('counts of HL7 messages not written yet', error),
    runOnce: async () => {
      await intake.flush();
      if (clock.monotonicMs() - expiredMs < EXPIRE_MS) return 0;
      expiredMs = clock.monotonicMs();
      await database.write((sql) => {
        expireMessages(sql, clock.nowMs() - MESSAGES_KEPT_MS);
        expireOrders(sql, clock.nowMs() - ORDERS_KEPT_MS);
      });
      return 0;
    },
  });
}

async function readTls(tls: IntakeDependencies['config']['tls']): Promise<TlsMaterial | undefined> {
  if (!tls) return undefined;
  try {
    const [certificate, key, ca] = await Promise.all([
      readFile(tls.certificateFile),
      readFile(tls.keyFile),
      readFile(tls.caFile),
    ]);
    return { certificate, key, ca };
  } catch (cause) {
    throw new AifiError('CONFIG_INVALID', 'the HL7 TLS files cannot be read', { cause });
  }
}
