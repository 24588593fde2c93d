/**
 * CatalogueCoverage: how many studies came with a code that the catalogue knows, and which codes it
 * lacks.
 * Decides nothing; a count that was cut is said to be so.
 */
import { Stack, Text } from '@mantine/core';
import type { CatalogueCoverageView } from '@aifi/contracts-rest';
import { useLanguage } from '../frame/language.js';
import { DataTable, type Column } from '../parts/data-table.js';
import { Facts } from '../parts/facts.js';
import { StateLabel } from '../parts/state-label.js';

type Unmapped = CatalogueCoverageView['unmapped'][number];

export function CatalogueCoverage({ coverage }: { readonly coverage: CatalogueCoverageView }) {
  const { words, formats } = useLanguage();
  const { catalogue: text } = words;
  const { days, studies, isWhole, withCode, mapped, unmapped } = coverage;
  const percent = formats.number(Math.floor((100 * mapped) / Math.max(withCode, 1)));
  const columns: readonly Column<Unmapped>[] = [
    { key: 'code', header: text.code, isRowHeader: true, cell: ({ code }) => code },
    {
      ...{ key: 'studies', header: text.studies, isNumber: true },
      cell: (one) => formats.number(one.studies),
    },
  ];
  return (
    <Stack gap="sm">
      <Text>{text.coverageText(formats.number(days))}</Text>
      <Facts
        rows={[
          [text.received, formats.number(studies)],
          [text.withCode, formats.number(withCode)],
          withCode > 0 ? [text.mapped, text.share(formats.number(mapped), percent)] : undefined,
        ]}
      />
      {!isWhole && <StateLabel tone="warn">{text.cut}</StateLabel>}
      {withCode > 0 && (
        <DataTable
          caption={text.unmapped}
          columns={columns}
          rows={unmapped}
          rowKey={({ code }) => code}
          empty={text.allMapped}
          minWidth={320}
        />
      )}
    </Stack>
  );
}
