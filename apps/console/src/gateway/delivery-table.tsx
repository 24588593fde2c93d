/**
 * DeliveryTable: objects on their way to the PACS, and what the PACS said.
 * Decides nothing. Source: PS3.4 B.2.3 (status of C-STORE, in hexadecimal).
 */
import type { DeliveryTrace } from '@aifi/contracts-rest';
import { partTone } from '../format/tones.js';
import { useLanguage } from '../frame/language.js';
import { CodeValue } from '../parts/code-value.js';
import { DataTable, type Column } from '../parts/data-table.js';
import { codeWords } from '../parts/hop-list.js';
import { StateLabel } from '../parts/state-label.js';
import { When } from '../parts/when.js';
import { termOf } from '../words/words.js';

type Row = Omit<DeliveryTrace, 'index'>;

/** `A700` */
export const dimseWords = (status: number | null): string =>
  status === null ? '–' : status.toString(16).toUpperCase().padStart(4, '0');

interface DeliveryTableProps {
  readonly caption: string;
  readonly rows: readonly Row[];
}
export function DeliveryTable({ caption, rows }: DeliveryTableProps) {
  const state = useLanguage();
  const { words, formats } = state;
  const { study } = words.gateway;
  const columns: readonly Column<Row>[] = [
    {
      ...{ key: 'role', header: study.role, isRowHeader: true },
      cell: ({ role, issue }) => (
        <>
          {termOf(study.roles, role)}
          <div className="aifi-dimmed">
            {study.issue} {issue}
          </div>
        </>
      ),
    },
    {
      ...{ key: 'state', header: study.state },
      cell: ({ state: name, lastFault }) => (
        <>
          <StateLabel tone={partTone(name)}>{termOf(words.terms.deliveryStates, name)}</StateLabel>
          {lastFault && name !== 'VERIFIED' && (
            <div className="aifi-dimmed">{codeWords(lastFault, state)}</div>
          )}
        </>
      ),
    },
    {
      ...{ key: 'dimse', header: study.dimse },
      cell: ({ dimseStatus }) => dimseWords(dimseStatus),
    },
    {
      ...{ key: 'attempts', header: study.attempts, isNumber: true },
      cell: ({ attempts }) => formats.number(attempts),
    },
    {
      ...{ key: 'next', header: study.nextAttempt },
      cell: ({ state: name, nextAttemptAtMs }) => (
        <When atMs={name === 'QUEUED' || name === 'STORED' ? nextAttemptAtMs : null} />
      ),
    },
    {
      ...{ key: 'uid', header: 'SOP Instance UID' },
      cell: (one) => <CodeValue value={one.sopInstanceUid} label="SOP Instance UID" />,
    },
    {
      ...{ key: 'digest', header: study.digest },
      cell: ({ sha256 }) => <CodeValue value={sha256} label={study.digest} />,
    },
  ];
  return (
    <DataTable
      caption={caption}
      columns={columns}
      rows={rows}
      rowKey={({ sopInstanceUid, issue }) => `${sopInstanceUid} ${issue}`}
      empty={words.frame.nothing}
      minWidth={820}
    />
  );
}
