/**
 * Approvals: what waits for a second person, what is granted, and what one has asked for oneself.
 * Decides the order: what somebody waits for comes first. Invariant: a request is decided in its
 * own dialog with a reason; the address says which one, so that a step-up leads back to it.
 */
import { accessRoutes, type ApprovalView } from '@aifi/contracts-rest';
import { useSearchParams } from 'wouter';
import { useAnswer } from '../api/use-answer.js';
import { sortApprovals } from '../format/approvers.js';
import { useWords } from '../frame/language.js';
import { Page } from '../frame/page.js';
import { useSession } from '../frame/session.js';
import { AnswerView } from '../parts/answer-view.js';
import { Card } from '../parts/card.js';
import { ApprovalDialog } from './approval-dialog.js';
import { ApprovalTable } from './approval-table.js';

/** As many as a page of the interface holds; older ones are in the audit log. */
const LIMIT = 200;

export function ApprovalsPage() {
  const words = useWords().access.approvals;
  const session = useSession();
  const [search, setSearch] = useSearchParams();
  const approvals = useAnswer(
    accessRoutes.listApprovals,
    { query: { limit: LIMIT } },
    { topics: ['approvals'] },
  );
  const open = (id: string): void => setSearch({ request: id });
  const close = (): void => setSearch({});
  return (
    <Page title={words.title} lead={words.lead}>
      <AnswerView answer={approvals}>
        {({ items }) => {
          const sorted = sortApprovals(items, session);
          const chosen = items.find(({ id }) => id === search.get('request'));
          return (
            <div className="aifi-stack">
              <ApprovalCard
                {...{
                  title: words.toDecide,
                  rows: sorted.toDecide,
                  empty: words.toDecideNone,
                  open,
                }}
              />
              <ApprovalCard
                {...{ title: words.running, rows: sorted.running, empty: words.runningNone, open }}
              />
              <ApprovalCard
                {...{ title: words.own, rows: sorted.own, empty: words.ownNone, open }}
              />
              <ApprovalCard
                {...{ title: words.past, rows: sorted.past, empty: words.pastNone, open }}
              />
              <ApprovalDialog
                approval={chosen}
                onClose={close}
                onChanged={() => {
                  close();
                  void approvals.refetch();
                }}
              />
            </div>
          );
        }}
      </AnswerView>
    </Page>
  );
}

interface ApprovalCardProps {
  readonly title: string;
  readonly rows: readonly ApprovalView[];
  readonly empty: string;
  readonly open: (id: string) => void;
}
function ApprovalCard({ title, ...table }: ApprovalCardProps) {
  const { approvals } = useWords().access;
  return (
    <Card title={title}>
      <ApprovalTable caption={`${approvals.title}: ${title}`} {...table} />
    </Card>
  );
}
