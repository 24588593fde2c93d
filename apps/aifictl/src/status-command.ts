/**
 * status: asks every gateway and the hub how they are.
 * Decides what "not well" is: no answer, no link to the hub, a PACS that does not answer, a disk
 * for which something is refused, or what waits for a person. Refusals are facts of their senders,
 * not of our health.
 */
import { gatewayStatusSchema, hubStatusSchema, type GatewayStatus } from '@aifi/contracts-rest';
import { ask } from './api-client.js';
import type { Command } from './command-line.js';
import type { StatusDocument } from './documents.js';
import { isDiskFull } from './explain-job.js';
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
  const { link, pacsBreaker, jobs, rules } = status;
  const dead = status.deadLetters?.count ?? 0;
  const images = status.pixelHolds?.count ?? 0;
  const aside = (jobs['HELD'] ?? 0) + (jobs['QUARANTINED'] ?? 0);
  return [
    ...(link === 'up' ? [] : ['no link to the hub: studies wait in the spool, nothing is lost']),
    ...(status.uplink?.refusedBy
      ? [`the hub refuses this gateway (${status.uplink.refusedBy}): aifictl gateway link`]
      : []),
    ...(rules ? [] : ['no routing rules from the hub yet: studies wait, nothing is lost']),
    ...(pacsBreaker === 'closed'
      ? []
      : ['the PACS does not answer: results wait at the gateway, nothing is lost']),
    ...diskProblems(status),
    ...(dead === 0
      ? []
      : [`the PACS did not take ${count(dead, 'object')}: aifictl dead-letters list`]),
    ...(images === 0
      ? []
      : [`${count(images, 'image')} to look at before leaving: aifictl pixel-holds list`]),
    ...(aside === 0 ? [] : [`${count(aside, 'job')} held or set apart: a person must look`]),
  ];
}

/** By the level that the gateway refuses by; one that does not tell is judged by its free space. */
function diskProblems(status: GatewayStatus): string[] {
  const { disk, diskFreeBytes } = status;
  const told = 'are told A700 and try again, what is here is safe';
  const free = size(diskFreeBytes);
  if (disk?.level === 'refuse-routine') {
    return [`the disk is nearly full (${free} free): senders of routine studies ${told}`];
  }
  return isDiskFull(status) ? [`the disk is full (${free} free): senders ${told}`] : [];
}
