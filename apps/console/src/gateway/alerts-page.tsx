/**
 * Alerts: openings of masked patients, for the privacy officer.
 * Decides that one that nobody has seen stands out. Invariant: a recorded view, never by itself.
 */
import { Button } from '@mantine/core';
import { gatewayRoutes, type AlertView } from '@aifi/contracts-rest';
import { useAct, useAnswer, useCursor } from '../api/use-answer.js';
import { useLanguage, useWords } from '../frame/language.js';
import { useNotice } from '../frame/notices.js';
import { Page } from '../frame/page.js';
import { useSession } from '../frame/session.js';
import { AnswerView } from '../parts/answer-view.js';
import { CodeValue } from '../parts/code-value.js';
import { DataTable, type Column } from '../parts/data-table.js';
import { Fault } from '../parts/fault.js';
import { PageLink } from '../parts/page-link.js';
import { Pager } from '../parts/pager.js';
import { Refresh } from '../parts/refresh.js';
import { StateLabel } from '../parts/state-label.js';
import { At } from '../parts/when.js';

export function AlertsPage() {
  const { alerts } = useWords().gateway;
  const tell = useNotice();
  const cursor = useCursor('alerts');
  const query = { cursor: cursor.cursor };
  const options = { isAudited: true, isPaged: true };
  const answer = useAnswer(gatewayRoutes.alerts, { query }, options);
  const refresh = (): void => void answer.refetch();
  const acknowledge = useAct(gatewayRoutes.acknowledgeAlert, () => {
    tell(alerts.acknowledged);
    refresh();
  });
  return (
    <Page
      title={alerts.title}
      lead={alerts.lead}
      actions={<Refresh topics={['alerts']} isBusy={answer.isFetching} onRefresh={refresh} />}
    >
      {acknowledge.problem && <Fault problem={acknowledge.problem} />}
      <AnswerView answer={answer}>
        {({ items, nextCursor }) => (
          <>
            <AlertTable
              rows={items}
              onSeen={({ id }) => acknowledge.go({ params: { alertId: id }, body: {} })}
            />
            <Pager cursor={cursor} nextCursor={nextCursor} />
          </>
        )}
      </AnswerView>
    </Page>
  );
}

interface AlertTableProps {
  readonly rows: readonly AlertView[];
  readonly onSeen: (alert: AlertView) => void;
}
function AlertTable({ rows, onSeen }: AlertTableProps) {
  const { words } = useLanguage();
  const { acts } = useSession();
  const { alerts } = words.gateway;
  const columns: readonly Column<AlertView>[] = [
    { key: 'at', header: alerts.at, cell: ({ atMs }) => <At atMs={atMs} /> },
    {
      ...{ key: 'who', header: alerts.who, isRowHeader: true },
      cell: ({ userName }) => userName,
    },
    { key: 'masked', header: alerts.masked, cell: ({ masked }) => words.terms.masks[masked] },
    { key: 'reason', header: alerts.reason, cell: ({ reason }) => reason },
    {
      ...{ key: 'study', header: alerts.study },
      cell: ({ studyInstanceUid }) =>
        acts.includes('hospital-study.read') ? (
          <PageLink to={`/studies/${studyInstanceUid}`}>{words.gateway.studies.trace}</PageLink>
        ) : (
          <CodeValue value={studyInstanceUid} label={alerts.study} />
        ),
    },
    {
      ...{ key: 'state', header: alerts.state },
      cell: (alert) => <Seen alert={alert} onSeen={() => onSeen(alert)} />,
    },
  ];
  return (
    <DataTable
      caption={alerts.caption}
      columns={columns}
      rows={rows}
      rowKey={({ id }) => id}
      empty={alerts.none}
      minWidth={820}
    />
  );
}

interface SeenProps {
  readonly alert: AlertView;
  readonly onSeen: () => void;
}
function Seen({ alert, onSeen }: SeenProps) {
  const { words, formats } = useLanguage();
  const { alerts } = words.gateway;
  const { acknowledgedAtMs, acknowledgedBy, userName } = alert;
  if (acknowledgedAtMs !== null) {
    return <>{alerts.seenBy(acknowledgedBy ?? '', formats.exact(acknowledgedAtMs))}</>;
  }
  return (
    <>
      <StateLabel tone="warn">{alerts.unseen}</StateLabel>
      <div>
        <Button
          {...{ size: 'xs', variant: 'default', mt: 6, onClick: onSeen }}
          aria-label={`${alerts.acknowledge}: ${userName}`}
        >
          {alerts.acknowledge}
        </Button>
      </div>
    </>
  );
}
