/**
 * DeadLetterTable: undelivered objects with why, what the PACS answered and the way to their study.
 * Decides that a role without the list of studies sees the job instead of the study.
 */
import { Button } from '@mantine/core';
import type { ReactNode } from 'react';
import type { DeadLetterView } from '@aifi/contracts-rest';
import { useLanguage } from '../frame/language.js';
import { useSession } from '../frame/session.js';
import { CodeValue } from '../parts/code-value.js';
import { DataTable, type Column } from '../parts/data-table.js';
import { PageLink } from '../parts/page-link.js';
import { At } from '../parts/when.js';
import { termOf } from '../words/words.js';

interface DeadLetterTableProps {
  readonly rows: readonly DeadLetterView[];
  readonly empty: ReactNode;
  /** Absent: the role may only look. */
  readonly onReplay: ((letter: DeadLetterView) => void) | undefined;
}
export function DeadLetterTable({ rows, empty, onReplay }: DeadLetterTableProps) {
  const { words, formats, language } = useLanguage();
  const { deadLetters, study } = words.gateway;
  const nameOf = ({ product }: DeadLetterView): string => product ?? deadLetters.everyProduct;
  const columns: readonly Column<DeadLetterView>[] = [
    { key: 'since', header: deadLetters.since, cell: ({ sinceMs }) => <At atMs={sinceMs} /> },
    {
      ...{ key: 'product', header: deadLetters.product, isRowHeader: true },
      cell: (letter) => (
        <>
          {nameOf(letter)}
          <div className="aifi-dimmed">{termOf(study.roles, letter.kind)}</div>
        </>
      ),
    },
    {
      ...{ key: 'reason', header: deadLetters.reason },
      cell: ({ code, words: reason }) => (
        <>
          {reason?.[language] ?? code}
          {reason && <div className="aifi-dimmed">{code}</div>}
        </>
      ),
    },
    {
      ...{ key: 'dimse', header: deadLetters.dimse },
      cell: ({ dimseStatus }) => dimseStatus ?? '–',
    },
    {
      ...{ key: 'attempts', header: deadLetters.attempts, isNumber: true },
      cell: ({ attempts, replays }) => (
        <>
          {formats.number(attempts)}
          {replays > 0 && <div className="aifi-dimmed">{deadLetters.replays(replays)}</div>}
        </>
      ),
    },
    {
      ...{ key: 'study', header: deadLetters.study },
      cell: (letter) => <Subject letter={letter} />,
    },
  ];
  const action: Column<DeadLetterView> = {
    ...{ key: 'replay', header: words.frame.actions, isHeaderHidden: true },
    cell: (letter) => (
      <Button
        {...{ size: 'xs', variant: 'default', onClick: () => onReplay?.(letter) }}
        aria-label={`${deadLetters.action}: ${nameOf(letter)}, ${termOf(study.roles, letter.kind)}`}
      >
        {deadLetters.action}
      </Button>
    ),
  };
  return (
    <DataTable
      caption={deadLetters.caption}
      columns={onReplay ? [...columns, action] : columns}
      rows={rows}
      rowKey={({ id }) => id}
      empty={empty}
      minWidth={820}
    />
  );
}

function Subject({ letter }: { readonly letter: DeadLetterView }) {
  const { deadLetters, studies } = useLanguage().words.gateway;
  const { acts } = useSession();
  const { studyInstanceUid, jobId, product } = letter;
  if (studyInstanceUid === null) return <CodeValue value={jobId} label={deadLetters.job} />;
  if (!acts.includes('hospital-study.read')) {
    return <CodeValue value={studyInstanceUid} label={deadLetters.study} />;
  }
  return (
    <PageLink
      to={`/studies/${studyInstanceUid}`}
      label={`${studies.trace}: ${product ?? deadLetters.everyProduct}`}
    >
      {studies.trace}
    </PageLink>
  );
}
