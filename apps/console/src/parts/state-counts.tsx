/**
 * StateCounts: how many jobs are in each state, as a table with bars.
 * Decides the order: that of the way of a job, unknown states last. Invariant: the bar only repeats
 * the number beside it.
 */
import { jobTone } from '../format/tones.js';
import { useLanguage } from '../frame/language.js';
import { termOf } from '../words/words.js';
import { DataTable, type Column } from './data-table.js';
import { StateLabel } from './state-label.js';

interface StateCountsProps {
  readonly caption: string;
  readonly counts: Readonly<Record<string, number>>;
  readonly empty: string;
}
type Row = readonly [state: string, count: number];

export function StateCounts({ caption, counts, empty }: StateCountsProps) {
  const { words, formats } = useLanguage();
  const { terms, hub } = words;
  const order = Object.keys(terms.jobStates);
  const place = (state: string): number => {
    const index = order.indexOf(state);
    return index === -1 ? order.length : index;
  };
  const rows: readonly Row[] = Object.entries(counts).sort(([a], [b]) => place(a) - place(b));
  const total = rows.reduce((sum, [, count]) => sum + count, 0);
  const columns: readonly Column<Row>[] = [
    {
      ...{ key: 'state', header: hub.overview.state, isRowHeader: true },
      cell: ([state]) => (
        <StateLabel tone={jobTone(state)}>{termOf(terms.jobStates, state)}</StateLabel>
      ),
    },
    {
      ...{ key: 'count', header: hub.overview.count, isNumber: true },
      cell: ([, count]) => formats.number(count),
    },
    {
      ...{ key: 'bar', header: hub.overview.share },
      cell: ([, count]) => <Bar share={total === 0 ? 0 : count / total} />,
    },
  ];
  const rowKey = ([state]: Row): string => state;
  return <DataTable {...{ caption, columns, rows, rowKey, empty, minWidth: 340 }} />;
}

function Bar({ share }: { readonly share: number }) {
  const percent = Math.round(share * 100);
  return (
    <div className="aifi-bar" role="img" aria-label={`${percent} %`}>
      <svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
        <rect width={percent} height="10" fill="var(--aifi-busy)" />
      </svg>
    </div>
  );
}
