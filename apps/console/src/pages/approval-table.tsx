/** ApprovalTable: requests for a second person as rows. Decides nothing. */
import { Button } from '@mantine/core';
import type { ApprovalView } from '@aifi/contracts-rest';
import { maySecond } from '../format/approvers.js';
import { approvalTone } from '../format/tones.js';
import { useWords } from '../frame/language.js';
import { useSession } from '../frame/session.js';
import { CodeValue } from '../parts/code-value.js';
import { DataTable, type Column } from '../parts/data-table.js';
import { StateLabel } from '../parts/state-label.js';
import { When } from '../parts/when.js';
import { termOf } from '../words/words.js';

interface ApprovalTableProps {
  readonly caption: string;
  readonly rows: readonly ApprovalView[];
  readonly empty: string;
  readonly open: (id: string) => void;
}

export function ApprovalTable({ caption, rows, empty, open }: ApprovalTableProps) {
  const { access, acts, terms, frame } = useWords();
  const session = useSession();
  const words = access.approvals;
  const columns: readonly Column<ApprovalView>[] = [
    {
      ...{ key: 'act', header: words.what, isRowHeader: true },
      cell: ({ act }) => termOf(acts.actNames, act),
    },
    { key: 'site', header: words.site, cell: ({ siteId }) => siteId },
    {
      ...{ key: 'object', header: words.about },
      cell: ({ objectId }) => <CodeValue value={objectId} label={words.about} />,
    },
    { key: 'by', header: words.askedBy, cell: ({ requestedBy }) => requestedBy.name },
    { key: 'at', header: words.askedAt, cell: (one) => <When atMs={one.requestedAtMs} /> },
    {
      ...{ key: 'state', header: words.state },
      cell: ({ state }) => (
        <StateLabel tone={approvalTone(state)}>{termOf(terms.approvalStates, state)}</StateLabel>
      ),
    },
    {
      ...{ key: 'until', header: words.until },
      cell: (one) => <When atMs={endOf(one)} />,
    },
    {
      ...{ key: 'open', header: frame.actions, isHeaderHidden: true },
      cell: (one) => (
        <Button
          {...{ size: 'xs', variant: isForMe(one) ? 'filled' : 'default' }}
          aria-label={`${isForMe(one) ? words.decide : frame.details}: ${one.requestedBy.name}`}
          onClick={() => open(one.id)}
        >
          {isForMe(one) ? words.decide : frame.details}
        </Button>
      ),
    },
  ];
  const isForMe = (one: ApprovalView): boolean =>
    one.state === 'REQUESTED' && maySecond(session, one);
  const rowKey = ({ id }: ApprovalView): string => id;
  return <DataTable {...{ caption, columns, rows, rowKey, empty, minWidth: 860 }} />;
}

/** When a request runs out, or a grant ends. */
function endOf({ state, expiresAtMs, grantedUntilMs, endedAtMs }: ApprovalView): number | null {
  if (state === 'REQUESTED') return expiresAtMs;
  return endedAtMs ?? grantedUntilMs;
}
