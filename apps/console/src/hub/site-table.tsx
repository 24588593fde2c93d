/**
 * SiteTable: sites with their health.
 * Decides health by when a gateway was last heard. Invariant: counts and names only.
 */
import type { SiteView } from '@aifi/contracts-rest';
import { HEALTH_TONES, siteHealth } from '../format/tones.js';
import { useLanguage } from '../frame/language.js';
import { useNow } from '../frame/now.js';
import { DataTable, type Column } from '../parts/data-table.js';
import { PageLink } from '../parts/page-link.js';
import { StateLabel } from '../parts/state-label.js';
import { When } from '../parts/when.js';

/** Half of the time after which a site counts as silent is soon enough. @unit ms */
const RENEW_MS = 15_000;

export function SiteHealthLabel({ site }: { readonly site: SiteView }) {
  const { words } = useLanguage();
  const health = siteHealth(site, useNow(RENEW_MS));
  return <StateLabel tone={HEALTH_TONES[health]}>{words.hub.sites[health]}</StateLabel>;
}

interface SiteTableProps {
  readonly sites: readonly SiteView[];
  /** Without waiting results, rules and deployments. */
  readonly isShort?: boolean;
}
export function SiteTable({ sites, isShort = false }: SiteTableProps) {
  const { words, formats } = useLanguage();
  const { sites: text } = words.hub;
  const short: readonly Column<SiteView>[] = [
    {
      ...{ key: 'site', header: text.site, isRowHeader: true },
      cell: ({ siteId }) => <PageLink to={`/sites/${siteId}`}>{siteId}</PageLink>,
    },
    { key: 'health', header: text.health, cell: (site) => <SiteHealthLabel site={site} /> },
    {
      ...{ key: 'seen', header: text.lastSeen },
      cell: ({ lastSeenAtMs }) => <When atMs={lastSeenAtMs} absent={words.frame.never} />,
    },
    {
      ...{ key: 'open', header: text.openJobs, isNumber: true },
      cell: ({ openJobs }) => formats.number(openJobs),
    },
  ];
  const rest: readonly Column<SiteView>[] = [
    {
      ...{ key: 'waiting', header: text.waiting, isNumber: true },
      cell: ({ waitingOutcomes }) => formats.number(waitingOutcomes),
    },
    {
      ...{ key: 'rules', header: text.rules, isNumber: true },
      cell: ({ rulesSequence }) => rulesSequence ?? text.noRules,
    },
    {
      ...{ key: 'deployments', header: text.deployments },
      cell: ({ deployments }) =>
        deployments.map(({ product, version }) => (
          <div key={`${product} ${version}`} className="aifi-nowrap">
            {product} <span className="aifi-dimmed">{version}</span>
          </div>
        )),
    },
  ];
  return (
    <DataTable
      caption={text.caption}
      columns={isShort ? short : [...short, ...rest]}
      rows={sites}
      rowKey={({ siteId }) => siteId}
      empty={words.frame.nothing}
      minWidth={isShort ? 400 : 760}
    />
  );
}
