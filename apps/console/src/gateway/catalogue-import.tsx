/**
 * CatalogueImport: a file of procedure codes, looked at first and then put in force.
 * Decides that what is put in force is the file that was looked at. Invariant: a file with a wrong
 * line has no button to put it in force.
 */
import { Button, Group, Stack, Text } from '@mantine/core';
import { useState } from 'react';
import {
  CATALOGUE_PROBLEMS,
  gatewayRoutes,
  type CatalogueFinding,
  type CataloguePlanView,
} from '@aifi/contracts-rest';
import { useAct } from '../api/use-answer.js';
import { useLanguage, useWords } from '../frame/language.js';
import { useNotice } from '../frame/notices.js';
import { DataTable, type Column } from '../parts/data-table.js';
import { Fault } from '../parts/fault.js';
import { StateLabel } from '../parts/state-label.js';
import { TableFileField } from '../parts/table-file-field.js';

export function CatalogueImport({ onDone }: { readonly onDone: () => void }) {
  const { catalogue: text } = useWords();
  const tell = useNotice();
  const [file, setFile] = useState<string>();
  const [plan, setPlan] = useState<CataloguePlanView>();
  const check = useAct(gatewayRoutes.checkCatalogue, setPlan);
  const apply = useAct(gatewayRoutes.importCatalogue, ({ version }) => {
    tell(version ? text.applied(String(version.version)) : text.unchanged);
    setPlan(undefined);
    onDone();
  });
  const choose = (chosen: string | undefined): void => {
    setFile(chosen);
    setPlan(undefined);
    check.reset();
    apply.reset();
  };
  const problem = check.problem ?? apply.problem;
  return (
    <Stack gap="sm">
      <TableFileField
        label={text.file}
        hint={text.fileHint}
        tooLong={text.tooLong}
        onFile={choose}
      />
      {plan && <Plan plan={plan} />}
      {problem && <Fault problem={problem} />}
      <Group gap="sm">
        <Button
          variant="default"
          disabled={file === undefined}
          loading={check.isBusy}
          onClick={() => file !== undefined && check.go({ body: { file } })}
        >
          {text.check}
        </Button>
        {file !== undefined && plan?.errors === 0 && (
          <Button loading={apply.isBusy} onClick={() => apply.go({ body: { file } })}>
            {text.apply}
          </Button>
        )}
      </Group>
    </Stack>
  );
}

function Plan({ plan }: { readonly plan: CataloguePlanView }) {
  const { words, formats, language } = useLanguage();
  const { catalogue: text } = words;
  const number = (value: number): string => formats.number(value);
  const columns: readonly Column<CatalogueFinding>[] = [
    {
      ...{ key: 'line', header: text.line, isRowHeader: true },
      cell: ({ line }) => formats.number(line),
    },
    { key: 'column', header: text.column, cell: ({ column }) => column ?? text.wholeLine },
    {
      ...{ key: 'problem', header: text.problem },
      cell: ({ problem, isError }) => (
        <StateLabel tone={isError ? 'bad' : 'warn'}>
          {CATALOGUE_PROBLEMS[problem][language]}
        </StateLabel>
      ),
    },
  ];
  return (
    <Stack gap="xs" aria-live="polite">
      <Text fw={600}>{text.planText(number(plan.codes))}</Text>
      <Text>
        {text.changesText(number(plan.added), number(plan.changed), number(plan.removed))}
      </Text>
      {plan.errors > 0 && (
        <div>
          <StateLabel tone="bad">{text.errors(number(plan.errors))}</StateLabel>
        </div>
      )}
      {plan.warnings > 0 && (
        <div>
          <StateLabel tone="warn">{text.warnings(number(plan.warnings))}</StateLabel>
        </div>
      )}
      {plan.findings.length > 0 && (
        <DataTable
          caption={text.findings}
          columns={columns}
          rows={plan.findings}
          rowKey={({ line, column, problem }) => `${line} ${column} ${problem}`}
          empty=""
        />
      )}
    </Stack>
  );
}
