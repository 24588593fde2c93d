/**
 * status: asks every gateway and the hub how they are.
 * Decides what "not well" is: no answer, no link to the hub, a PACS that does not answer, a full
 * disk, or studies that wait for a person. Refusals are facts of their senders, not of our health.
 */
import { gatewayStatusSchema, hubStatusSchema, type GatewayStatus } from '@aifi/contracts-rest';
import { ask } from './api-client.js';
import type { Command } from './command-line.js';
import type { StatusDocument } from './documents.js';
import { DISK_FREE_BYTES_MIN } from './explain-job.js';
import { count, size } from './plain-values.js';
import type { Terminal } from './terminal.js';

const PATH = 'api/v1/status';

export async function statusDocument(
  { gateways: urls, hub: hubUrl }: Command,
  { fetch }: Terminal,
): Promise<StatusDocument> {
  const gateways = await Promise.all(
    urls.map(async (url) => {
      const answer = await ask(fetch, { url, path: PATH }, gatewayStatusSchema);
      const status = answer.kind === 'found' ? answer.document : null;
      return { ...health(url, status ? gatewayProblems(status) : [noAnswer(answer)]), status };
    }),
  );
  const hub = hubUrl === undefined ? null : await hubHealth(hubUrl, fetch);
  const healthy = [...gateways, ...(hub ? [hub] : [])].every((peer) => peer.healthy);
  return { schema: 'aifictl.status.v1', healthy, gateways, hub };
}

async function hubHealth(
  url: string,
  fetcher: Terminal['fetch'],
): Promise<NonNullable<StatusDocument['hub']>> {
  const answer = await ask(fetcher, { url, path: PATH }, hubStatusSchema);
  const status = answer.kind === 'found' ? answer.document : null;
  return { ...health(url, status ? [] : [noAnswer(answer)]), status };
}

const health = (url: string, problems: string[]) => ({
  ...{ url, problems },
  healthy: problems.length === 0,
});
const noAnswer = (answer: { readonly kind: string; readonly why?: string }): string =>
  answer.why ?? 'answers, but has no status: is this the right address?';

function gatewayProblems(status: GatewayStatus): string[] {
  const { link, pacsBreaker, diskFreeBytes, jobs, rules } = status;
  const aside = (jobs['HELD'] ?? 0) + (jobs['QUARANTINED'] ?? 0);
  return [
    ...(link === 'up' ? [] : ['no link to the hub: studies wait in the spool, nothing is lost']),
    ...(rules ? [] : ['no routing rules from the hub yet: studies wait, nothing is lost']),
    ...(pacsBreaker === 'closed'
      ? []
      : ['the PACS does not answer: results wait at the gateway, nothing is lost']),
    ...(diskFreeBytes >= DISK_FREE_BYTES_MIN
      ? []
      : [
          `the disk is full (${size(diskFreeBytes)} free): senders are told A700 and try again, ` +
            'what is here is safe',
        ]),
    ...(aside === 0 ? [] : [`${count(aside, 'job')} held or set apart: a person must look`]),
  ];
}
