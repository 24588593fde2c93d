/** StudyTable: jobs of pseudonymous studies as rows. Decides nothing. */
import type { HubStudy } from '@aifi/contracts-rest';
import { jobTone } from '../format/tones.js';
import { useLanguage } from '../frame/language.js';
import { DataTable, type Column } from '../parts/data-table.js';
import { codeWords } from '../parts/hop-list.js';
import { PageLink } from '../parts/page-link.js';
import { StateLabel } from '../parts/state-label.js';
import { At } from '../parts/when.js';
import { shortUid } from '../format/times.js';
import { termOf } from '../words/words.js';

export function StudyTable({ rows }: { readonly rows: readonly HubStudy[] }) {
  const state = useLanguage();
  const { words, formats } = state;
  const { studies } = words.hub;
  const columns: readonly Column<HubStudy>[] = [
    {
      ...{ key: 'study', header: studies.study, isRowHeader: true },
      cell: ({ siteId, studyPseudonym }) => (
        <span className="aifi-code" title={studyPseudonym}>
          <PageLink to={`/sites/${siteId}/studies/${studyPseudonym}`}>
            {shortUid(studyPseudonym)}
          </PageLink>
        </span>
      ),
    },
    { key: 'site', header: studies.site, cell: ({ siteId }) => siteId },
    {
      ...{ key: 'product', header: studies.product },
      cell: ({ product, version, revision }) => (
        <>
          <span className="aifi-nowrap">
            {product} <span className="aifi-dimmed">{version}</span>
          </span>
          {revision > 1 && (
            <div className="aifi-dimmed">
              {words.hub.study.revision} {revision}
            </div>
          )}
        </>
      ),
    },
    {
      ...{ key: 'lane', header: studies.lane },
      cell: ({ lane }) => termOf(words.terms.lanes, lane),
    },
    {
      ...{ key: 'state', header: studies.state },
      cell: ({ state: name, code }) => (
        <>
          <StateLabel tone={code ? 'warn' : jobTone(name)}>
            {termOf(words.terms.jobStates, name)}
          </StateLabel>
          {code && <div className="aifi-dimmed">{codeWords(code, state)}</div>}
        </>
      ),
    },
    { key: 'opened', header: studies.opened, cell: (one) => <At atMs={one.openedAtMs} /> },
    {
      ...{ key: 'duration', header: studies.duration, isNumber: true },
      cell: ({ openedAtMs, concludedAtMs }) =>
        concludedAtMs === null ? '–' : formats.duration(concludedAtMs - openedAtMs),
    },
  ];
  return (
    <DataTable
      caption={studies.caption}
      columns={columns}
      rows={rows}
      rowKey={({ siteId, jobId }) => `${siteId} ${jobId}`}
      empty={words.frame.nothing}
      minWidth={900}
    />
  );
}
