/**
 * Audit log: who did what, when and why, and the export for who may.
 * Decides that a search is an act of the person: nothing is fetched anew by itself.
 * Source: NEN 7513; libs/contracts/rest audit.ts.
 */
import { Button } from '@mantine/core';
import { useState } from 'react';
import { auditRoutes, type AuditRecord } from '@aifi/contracts-rest';
import { useAnswer, useCursor } from '../api/use-answer.js';
import { outcomeTone } from '../format/tones.js';
import { useWords } from '../frame/language.js';
import { Page } from '../frame/page.js';
import { useSession } from '../frame/session.js';
import { AnswerView } from '../parts/answer-view.js';
import { CodeValue } from '../parts/code-value.js';
import { DataTable, type Column } from '../parts/data-table.js';
import { Pager } from '../parts/pager.js';
import { Refresh } from '../parts/refresh.js';
import { StateLabel } from '../parts/state-label.js';
import { At } from '../parts/when.js';
import { termOf } from '../words/words.js';
import { AuditDetails } from './audit-details.js';
import { AuditExport } from './audit-export.js';
import { AuditFilters, auditQuery, NO_FILTERS } from './audit-filters.js';

const LIMIT = 50;

export function AuditPage() {
  const { audit } = useWords().access;
  const { acts } = useSession();
  const [filters, setFilters] = useState(NO_FILTERS);
  const [chosen, setChosen] = useState<AuditRecord>();
  const cursor = useCursor(filters);
  const query = { ...auditQuery(filters), cursor: cursor.cursor, limit: LIMIT };
  const options = { isAudited: true, isPaged: true };
  const answer = useAnswer(auditRoutes.searchAudit, { query }, options);
  const refresh = (): void => void answer.refetch();
  return (
    <Page
      title={audit.title}
      lead={audit.lead}
      actions={<Refresh topics={[]} isBusy={answer.isFetching} onRefresh={refresh} />}
    >
      <div>
        <AuditFilters onApply={setFilters} />
        <AnswerView answer={answer}>
          {({ items, nextCursor }) => (
            <>
              <AuditTable rows={items} onOpen={setChosen} />
              <Pager cursor={cursor} nextCursor={nextCursor} />
            </>
          )}
        </AnswerView>
      </div>
      {acts.includes('audit.export') && <AuditExport filters={filters} />}
      <AuditDetails record={chosen} onClose={() => setChosen(undefined)} />
    </Page>
  );
}

interface AuditTableProps {
  readonly rows: readonly AuditRecord[];
  readonly onOpen: (record: AuditRecord) => void;
}
export function AuditTable({ rows, onOpen }: AuditTableProps) {
  const { access, acts, terms, frame } = useWords();
  const { audit } = access;
  const columns: readonly Column<AuditRecord>[] = [
    { key: 'at', header: audit.at, cell: ({ atMs }) => <At atMs={atMs} /> },
    {
      ...{ key: 'act', header: audit.act, isRowHeader: true },
      cell: ({ act }) => termOf(acts.actNames, act),
    },
    { key: 'user', header: audit.user, cell: ({ userName }) => userName },
    {
      ...{ key: 'outcome', header: audit.outcome },
      cell: ({ outcome }) => (
        <StateLabel tone={outcomeTone(outcome)}>{terms.auditOutcomes[outcome]}</StateLabel>
      ),
    },
    {
      key: 'site',
      header: audit.siteId,
      cell: ({ siteId }) => (
        <span className="aifi-nowrap">{siteId === '*' ? frame.allSites : siteId}</span>
      ),
    },
    {
      ...{ key: 'object', header: audit.object },
      cell: ({ objectType, objectId }) => (
        <>
          {objectType}
          <div>
            <CodeValue value={objectId} label={audit.object} />
          </div>
        </>
      ),
    },
    {
      ...{ key: 'open', header: frame.actions, isHeaderHidden: true },
      cell: (record) => (
        <Button
          {...{ size: 'xs', variant: 'default', onClick: () => onOpen(record) }}
          aria-label={`${frame.details}: ${record.sequence}`}
        >
          {frame.details}
        </Button>
      ),
    },
  ];
  const rowKey = ({ chain, sequence }: AuditRecord): string => `${chain} ${sequence}`;
  const empty = frame.nothing;
  return <DataTable {...{ caption: audit.caption, columns, rows, rowKey, empty, minWidth: 920 }} />;
}
