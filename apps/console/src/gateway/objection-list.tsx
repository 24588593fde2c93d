/**
 * ObjectionList: a list of objections, looked at first and then taken over.
 * Decides that with wrong lines only the good ones can be taken over, by a button that says so.
 * Invariant: a line is named by number and column, never by what stands in it.
 */
import { Button, Group, Stack, Text } from '@mantine/core';
import { useState } from 'react';
import { gatewayRoutes, OBJECTION_PROBLEMS, type ObjectionListView } from '@aifi/contracts-rest';
import { useAct } from '../api/use-answer.js';
import { useLanguage } from '../frame/language.js';
import { useNotice } from '../frame/notices.js';
import { DataTable, type Column } from '../parts/data-table.js';
import { Fault } from '../parts/fault.js';
import { StateLabel } from '../parts/state-label.js';
import { TableFileField } from '../parts/table-file-field.js';

export function ObjectionList() {
  const { words, formats } = useLanguage();
  const { objections: text } = words;
  const tell = useNotice();
  const [file, setFile] = useState<string>();
  const [list, setList] = useState<ObjectionListView>();
  const check = useAct(gatewayRoutes.checkObjectionList, setList);
  const take = useAct(gatewayRoutes.importObjectionList, ({ added, jobsEnded, jobsAtHub }) => {
    const jobs = text.jobs(formats.number(jobsEnded), formats.number(jobsAtHub));
    const taken = text.taken(formats.number(added));
    tell(jobsEnded + jobsAtHub > 0 ? `${taken} ${jobs}` : taken);
    setList(undefined);
  });
  const choose = (chosen: string | undefined): void => {
    setFile(chosen);
    setList(undefined);
    check.reset();
    take.reset();
  };
  const problem = check.problem ?? take.problem;
  const good = list ? list.lines - list.bad : 0;
  return (
    <Stack gap="sm">
      <TableFileField
        label={text.list}
        hint={text.listHint}
        tooLong={text.tooLong}
        onFile={choose}
      />
      {list && <Checked list={list} />}
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
        {file !== undefined && list && good > 0 && (
          <Button
            loading={take.isBusy}
            onClick={() => take.go({ body: { file, skipBadLines: list.bad > 0 } })}
          >
            {list.bad > 0 ? text.takeGood : text.take}
          </Button>
        )}
      </Group>
    </Stack>
  );
}

type BadLine = ObjectionListView['findings'][number];
function Checked({ list }: { readonly list: ObjectionListView }) {
  const { language, words, formats } = useLanguage();
  const { objections: text } = words;
  const columns: readonly Column<BadLine>[] = [
    {
      ...{ key: 'line', header: text.line, isRowHeader: true },
      cell: ({ line }) => formats.number(line),
    },
    { key: 'column', header: text.column, cell: ({ column }) => column },
    {
      ...{ key: 'problem', header: text.problem },
      cell: ({ problem }) => OBJECTION_PROBLEMS[problem][language],
    },
  ];
  const number = (value: number): string => formats.number(value);
  return (
    <Stack gap="xs" aria-live="polite">
      <Text fw={600}>
        {text.listText(number(list.lines), number(list.added), number(list.unchanged))}
      </Text>
      {list.bad > 0 && (
        <>
          <div>
            <StateLabel tone="bad">{text.bad(number(list.bad))}</StateLabel>
          </div>
          <DataTable
            caption={text.findings}
            columns={columns}
            rows={list.findings}
            rowKey={({ line }) => String(line)}
            empty=""
          />
        </>
      )}
    </Stack>
  );
}
