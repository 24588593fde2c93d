/**
 * studies: jobs of pseudonymous studies at the hub, newest first.
 * Decides the columns. Invariant: the text is made from the document of `--json` alone.
 */
import { hubRoutes } from '@aifi/contracts-rest';
import { askPages } from './api-client.js';
import type { Command } from './command-line.js';
import type { StudiesDocument } from './documents.js';
import { columns, Times } from './plain-values.js';
import { faultOf } from './server-fault.js';
import type { Terminal } from './terminal.js';

const LIMIT = 50;

export async function studiesDocument(
  { hub = '', options }: Command,
  { fetch }: Terminal,
): Promise<StudiesDocument> {
  const { path, response } = hubRoutes.listStudies;
  const filter = {
    ...{ siteId: options.site, state: options.state, studyPseudonym: options.study },
    limit: Number(options.limit ?? LIMIT),
  };
  const answer = await askPages(fetch, { url: hub, path: path.slice(1) }, response, filter);
  const { items, nextCursor } = answer.kind === 'found' ? answer.document : NOTHING;
  const fault = faultOf(answer);
  return { schema: 'aifictl.studies.v1', hub, items: [...items], more: nextCursor !== null, fault };
}
const NOTHING = { items: [], nextCursor: null };

export function renderStudies({ hub, items, more, fault }: StudiesDocument, zone: string): string {
  if (fault !== null) return `! the hub at ${hub} ${fault}\n`;
  if (items.length === 0) return 'none\n';
  const times = new Times(zone, 0);
  const rows = items.map((one) => [
    times.dated(one.openedAtMs),
    one.siteId,
    `${one.product} ${one.version}`,
    one.code === null ? one.state : `${one.state} (${one.code})`,
    one.jobId,
    one.studyPseudonym,
  ]);
  const titles = [`opened (${zone})`, 'site', 'product', 'state', 'job', 'study pseudonym'];
  const rest = more ? ['there are more: --limit'] : [];
  return `${[...columns([titles, ...rows]), ...rest].join('\n')}\n`;
}
