/**
 * Metrics of retrieval. Decides that what waits and what failed are seen without a study.
 * Invariant: no study and no patient is ever a label. Source: governance specification 4.7.
 */
import { Gauge, type Registry } from '@aifi/shared-observability';
import type { GatewaySources } from './gateway-sources.js';

export function addRetrievalGauges(
  registry: Registry,
  { retrieval }: Pick<GatewaySources, 'retrieval'>,
): void {
  const count: Gauge = new Gauge({
    name: 'aifi_gateway_retrievals_count',
    help: 'Studies that are to be fetched from the PACS, were fetched, or could not be; of 90 days',
    labelNames: ['state'],
    registers: [registry],
    collect: () => {
      for (const [state, rows] of Object.entries(retrieval.store.counts())) {
        count.set({ state }, rows);
      }
    },
  });
}
