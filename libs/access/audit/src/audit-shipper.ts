/**
 * Audit shipper: every record to a receiver outside, at least once, in the order of its chain.
 * Decides when a record counts as shipped: after the receiver has read its batch, then the position
 * is kept; what is uncertain is sent again. Receivers know a repeat by chain and sequence.
 * Invariants: a receiver that is away delays and never loses; at most `batchMax` records are in
 * memory; the acts themselves never wait for shipping. Source: hazard H18; reliability P7.
 */
import type { AuditRecord } from '@aifi/contracts-rest';
import { backoffMs, type Clock, type Stage } from '@aifi/shared-kernel';
import type { Logger } from '@aifi/shared-observability';
import type { AuditReader } from './audit-store.js';
import type { AuditSource } from './rendering.js';
import { syslogFrame, syslogMessage, type SyslogSender } from './syslog-message.js';
import { sendFrames, type SyslogDestination } from './syslog-transport.js';

/** How far each chain was shipped to each destination: durable when `set` resolves. */
export interface ShippingPosition {
  /** 0: nothing yet. */
  get(destination: string, chain: string): Promise<number>;
  set(destination: string, chain: string, sequence: number): Promise<void>;
}

export interface AuditShipperOptions {
  readonly destination: SyslogDestination;
  readonly reader: AuditReader;
  readonly position: ShippingPosition;
  readonly source: AuditSource;
  readonly sender: SyslogSender;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Records of one batch: 500 of 32 KiB are 16 MiB at most. @default 500 */
  readonly batchMax?: number;
  /** Wait when nothing is pending. @unit ms @default 1000 */
  readonly intervalMs?: number;
}

const STAGE = 'audit-shipper';

/** The shipper of one destination; run one at a time for each. */
export function createAuditShipper(options: AuditShipperOptions): Stage {
  const { clock, logger, intervalMs = 1_000 } = options;
  const run = async (signal: AbortSignal): Promise<void> => {
    let failures = 0;
    while (!signal.aborted) {
      try {
        const count = await shipPending(options, signal);
        if (failures > 0) logger.info('audit receiver is back', { stage: STAGE });
        failures = 0;
        if (count > 0) logger.info('audit records shipped', { stage: STAGE, count });
        await clock.sleep(intervalMs, signal);
      } catch (error) {
        if (signal.aborted) return;
        failures++;
        logger.fault('audit records wait', error, { stage: STAGE, attempt: failures });
        await clock.sleep(backoffMs(failures), signal);
      }
    }
  };
  return { name: STAGE, run };
}

/** Ships what is there now, chain by chain; how many records that were. */
async function shipPending(options: AuditShipperOptions, signal: AbortSignal): Promise<number> {
  const { reader, position, destination, batchMax = 500 } = options;
  const place = `${destination.host}:${destination.port}`;
  let count = 0;
  for (const { chain, sequence: last } of await reader.heads()) {
    let after = await position.get(place, chain);
    while (after < last && !signal.aborted) {
      const batch = await nextBatch(reader, chain, after, batchMax);
      const end = batch.at(-1);
      // Behind the head and yet nothing to read: deleted by retention, so there is nothing to ship.
      if (!end) break;
      await send(batch, options, signal);
      await position.set(place, chain, end.sequence);
      after = end.sequence;
      count += batch.length;
    }
  }
  return count;
}

async function nextBatch(
  reader: AuditReader,
  chain: string,
  afterSequence: number,
  batchMax: number,
): Promise<AuditRecord[]> {
  const batch: AuditRecord[] = [];
  for await (const record of reader.stream({ chain, afterSequence })) {
    batch.push(record);
    if (batch.length === batchMax) break;
  }
  return batch;
}

async function send(
  batch: readonly AuditRecord[],
  { destination, source, sender, clock }: AuditShipperOptions,
  signal: AbortSignal,
): Promise<void> {
  const frames = batch.map((record) => syslogFrame(syslogMessage(record, source, sender)));
  await sendFrames(destination, frames, { clock, signal });
}
