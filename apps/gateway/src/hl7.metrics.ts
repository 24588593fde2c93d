/**
 * Metrics of HL7: messages by sender, type and answer, and when each sender was last heard.
 * Decides what an alarm can be set on: a sender that falls silent, answers that are no AA.
 * Invariant: labels are words of the configuration and of our own tables, never of a message.
 * Source: governance specification 4.7 (metric labels).
 */
import { readTallies } from '@aifi/gateway-hl7';
import { Gauge, type Registry } from '@aifi/shared-observability';
import type { GatewaySources } from './gateway-sources.js';

export function addHl7Gauges(
  registry: Registry,
  { database }: Pick<GatewaySources, 'database'>,
): void {
  const registers = [registry];
  const messages: Gauge = new Gauge({
    name: 'aifi_gateway_hl7_messages_count',
    help: 'HL7 messages by sender, type, answer and code of table 0357 or reason of a closed line',
    labelNames: ['sender', 'type', 'answer', 'detail'],
    registers,
    collect: () => {
      for (const { sender, type, answer, detail, count } of database.read(readTallies)) {
        messages.set({ sender, type, answer, detail }, count);
      }
    },
  });
  const last: Gauge = new Gauge({
    name: 'aifi_gateway_hl7_last_message_timestamp_seconds',
    help: 'When a sender was last heard, in seconds since 1970',
    labelNames: ['sender'],
    registers,
    collect: () => {
      const heard = new Map<string, number>();
      for (const { sender, lastMs } of database.read(readTallies)) {
        if (sender !== '') heard.set(sender, Math.max(lastMs, heard.get(sender) ?? 0));
      }
      for (const [sender, lastMs] of heard) last.set({ sender }, lastMs / 1_000);
    },
  });
}
