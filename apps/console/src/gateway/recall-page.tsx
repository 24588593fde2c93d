/**
 * Recall: which studies have a result of one product, for as long as the studies are kept.
 * Decides that a search is an act of the person, since it is recorded, and that the whole list is a
 * file from the server. Source: results specification 4.1 (register, recall).
 */
import { Anchor, Group, Stack, Text, TextInput } from '@mantine/core';
import { useState } from 'react';
import { gatewayRoutes, type RegisteredResultView } from '@aifi/contracts-rest';
import { addressOf } from '../api/call.js';
import { useAnswer, useCursor } from '../api/use-answer.js';
import { useWords } from '../frame/language.js';
import { Page } from '../frame/page.js';
import { AnswerView } from '../parts/answer-view.js';
import { CodeValue } from '../parts/code-value.js';
import { DataTable, type Column } from '../parts/data-table.js';
import { FilterBar } from '../parts/filter-bar.js';
import { Pager } from '../parts/pager.js';
import { At } from '../parts/when.js';

interface Asked {
  readonly product: string;
  readonly version: string | undefined;
}

export function RecallPage() {
  const { recall } = useWords().gateway;
  const [product, setProduct] = useState('');
  const [version, setVersion] = useState('');
  const [asked, setAsked] = useState<Asked>();
  const apply = (): void => {
    const name = product.trim();
    setAsked(name === '' ? undefined : { product: name, version: version.trim() || undefined });
  };
  const clear = (): void => {
    setProduct('');
    setVersion('');
    setAsked(undefined);
  };
  return (
    <Page title={recall.title} lead={recall.lead}>
      <FilterBar onApply={apply} onClear={clear}>
        <TextInput
          {...{ label: recall.product, required: true, maxLength: 128, value: product }}
          onChange={(event) => setProduct(event.currentTarget.value)}
        />
        <TextInput
          {...{ label: recall.version, maxLength: 64, value: version }}
          placeholder={recall.versionHint}
          onChange={(event) => setVersion(event.currentTarget.value)}
        />
      </FilterBar>
      {asked && <Results asked={asked} />}
    </Page>
  );
}

function Results({ asked }: { readonly asked: Asked }) {
  const { recall } = useWords().gateway;
  const cursor = useCursor(asked);
  const query = { ...asked, cursor: cursor.cursor };
  const options = { isAudited: true, isPaged: true };
  const answer = useAnswer(gatewayRoutes.recall, { query }, options);
  return (
    <AnswerView answer={answer}>
      {({ items, nextCursor, total, studies }) => (
        <Stack gap="sm">
          <Group gap="lg" aria-live="polite">
            <Text fw={600}>{recall.count(total, studies)}</Text>
            {total > 0 && (
              <Anchor
                href={addressOf(gatewayRoutes.exportRecall.path, { query: { ...asked } })}
                download
              >
                {recall.file}
              </Anchor>
            )}
          </Group>
          <ResultTable rows={items} />
          <Pager cursor={cursor} nextCursor={nextCursor} />
        </Stack>
      )}
    </AnswerView>
  );
}

function ResultTable({ rows }: { readonly rows: readonly RegisteredResultView[] }) {
  const { recall } = useWords().gateway;
  const columns: readonly Column<RegisteredResultView>[] = [
    {
      ...{ key: 'result', header: recall.result, isRowHeader: true },
      cell: (one) => <CodeValue value={one.sopInstanceUid} label={recall.result} />,
    },
    {
      ...{ key: 'stored', header: recall.registered },
      cell: (one) => <At atMs={one.registeredAtMs} />,
    },
    { key: 'version', header: recall.version, cell: (one) => one.productVersion },
    {
      ...{ key: 'model', header: recall.model },
      cell: (one) => <CodeValue value={one.modelDigest} label={recall.model} />,
    },
    {
      ...{ key: 'study', header: recall.study },
      cell: (one) => <CodeValue value={one.studyInstanceUid} label={recall.study} />,
    },
    {
      ...{ key: 'date', header: recall.studyDate },
      cell: ({ studyDate }) => <span className="aifi-nowrap">{dateOf(studyDate)}</span>,
    },
    { key: 'issue', header: recall.issue, cell: (one) => `${one.revision} / ${one.issue}` },
  ];
  return (
    <DataTable
      caption={recall.caption}
      columns={columns}
      rows={rows}
      rowKey={(one) => one.sopInstanceUid}
      empty={recall.none}
      minWidth={820}
    />
  );
}

/** `20261120` as `2026-11-20`, which is one day in both languages. */
const dateOf = (date: string | null): string =>
  date === null ? '–' : date.replace(/^(\d{4})(\d{2})(\d{2})$/, '$1-$2-$3');
