/**
 * Images to look at: what the gateway holds because a picture may show who the patient is.
 * Decides the order of the columns and that a role which may not look sees the list only.
 * Invariant: a recorded view, so it is fetched when the person asks; that there is news is told,
 * and counted, at once. Source: pseudonymisation specification 1.5 (human release).
 */
import { gatewayRoutes, type PixelHoldView } from '@aifi/contracts-rest';
import { useAnswer, useCursor } from '../api/use-answer.js';
import { useLanguage, useWords } from '../frame/language.js';
import { Page } from '../frame/page.js';
import { useSession } from '../frame/session.js';
import { AnswerView } from '../parts/answer-view.js';
import { CodeValue } from '../parts/code-value.js';
import { DataTable, type Column } from '../parts/data-table.js';
import { PageLink } from '../parts/page-link.js';
import { Pager } from '../parts/pager.js';
import { Refresh } from '../parts/refresh.js';
import { At } from '../parts/when.js';
import { termOf } from '../words/words.js';
import { useImagesToLookAt } from './held-images.js';

/** `jobId`: those of one job only. */
export function PixelHoldsPage({ jobId }: { readonly jobId?: string }) {
  const { pixelHolds } = useWords().gateway;
  const cursor = useCursor(jobId);
  const query = { jobId, cursor: cursor.cursor };
  const options = { isAudited: true, isPaged: true };
  const answer = useAnswer(gatewayRoutes.pixelHolds, { query }, options);
  const total = answer.data?.total ?? 0;
  const waiting = useImagesToLookAt() ?? total;
  return (
    <Page
      title={pixelHolds.title}
      lead={pixelHolds.lead}
      actions={
        <Refresh
          {...{ topics: [], isBusy: answer.isFetching, onRefresh: () => void answer.refetch() }}
          hasNews={jobId === undefined && answer.data !== undefined && total !== waiting}
        />
      }
    >
      <AnswerView answer={answer}>
        {({ items, nextCursor }) => (
          <>
            <HoldTable rows={items} />
            <Pager cursor={cursor} nextCursor={nextCursor} />
          </>
        )}
      </AnswerView>
      {jobId !== undefined && <PageLink to="/pixel-holds">{pixelHolds.back}</PageLink>}
    </Page>
  );
}

function HoldTable({ rows }: { readonly rows: readonly PixelHoldView[] }) {
  const { words, formats } = useLanguage();
  const { pixelHolds } = words.gateway;
  const { acts } = useSession();
  const columns: readonly Column<PixelHoldView>[] = [
    { key: 'since', header: pixelHolds.since, cell: ({ heldAtMs }) => <At atMs={heldAtMs} /> },
    {
      ...{ key: 'product', header: pixelHolds.product, isRowHeader: true },
      cell: ({ product, lane, files }) => (
        <>
          {product}, {termOf(words.terms.lanes, lane)}
          {files > 1 && <div className="aifi-dimmed">{pixelHolds.files(files)}</div>}
        </>
      ),
    },
    { key: 'reason', header: pixelHolds.reason, cell: ({ reason }) => reason },
    {
      ...{ key: 'marks', header: pixelHolds.marks, isNumber: true },
      cell: ({ findings }) => formats.number(findings.length),
    },
    {
      ...{ key: 'deadline', header: pixelHolds.deadline },
      cell: ({ deadlineAtMs, isLate }) => (
        <>
          <At atMs={deadlineAtMs} />
          {isLate && <div className="aifi-dimmed">{pixelHolds.late}</div>}
        </>
      ),
    },
    { key: 'study', header: pixelHolds.study, cell: (hold) => <Subject hold={hold} /> },
  ];
  const look: Column<PixelHoldView> = {
    ...{ key: 'look', header: words.frame.actions, isHeaderHidden: true },
    cell: ({ id, product }) => (
      <PageLink to={`/pixel-holds/${id}`} label={`${pixelHolds.look}: ${product}, ${id}`}>
        {pixelHolds.look}
      </PageLink>
    ),
  };
  return (
    <DataTable
      caption={pixelHolds.caption}
      columns={acts.includes('pixel-hold.open') ? [...columns, look] : columns}
      rows={rows}
      rowKey={({ id }) => id}
      empty={pixelHolds.none}
      minWidth={820}
    />
  );
}

function Subject({ hold }: { readonly hold: PixelHoldView }) {
  const { pixelHolds, studies } = useWords().gateway;
  const { acts } = useSession();
  const { studyInstanceUid, jobId, product } = hold;
  if (studyInstanceUid === null || !acts.includes('hospital-study.read')) {
    return <CodeValue value={jobId} label={pixelHolds.job} />;
  }
  return (
    <PageLink to={`/jobs/${jobId}`} label={`${studies.trace}: ${product}`}>
      {studies.trace}
    </PageLink>
  );
}
