/**
 * PatientObjections: what one patient objects to, its history, and how it is changed.
 * Decides that a withdrawal asks for a reason and an objection does not: nobody has to give one.
 * Source: GDPR Art. 21; governance specification 4.3.
 */
import { Button, Group, NativeSelect, Stack, Text } from '@mantine/core';
import { useState, type FormEvent } from 'react';
import {
  gatewayRoutes,
  OBJECTION_WORDS,
  type ObjectionEntryView,
  type ObjectionKindCode,
  type ObjectionStateView,
} from '@aifi/contracts-rest';
import { useAct } from '../api/use-answer.js';
import { useLanguage, useWords } from '../frame/language.js';
import { useNotice } from '../frame/notices.js';
import { Card } from '../parts/card.js';
import { DataTable, type Column } from '../parts/data-table.js';
import { Dialog } from '../parts/dialog.js';
import { Fault } from '../parts/fault.js';
import { ReasonForm } from '../parts/reason-form.js';
import { StateLabel } from '../parts/state-label.js';
import { At } from '../parts/when.js';
import type { AskedPatient, FoundObjections } from './objections-page.js';

const KINDS = Object.keys(OBJECTION_WORDS) as ObjectionKindCode[];

interface PatientObjectionsProps {
  readonly patient: AskedPatient;
  readonly state: FoundObjections;
  readonly mayChange: boolean;
  readonly onChange: (state: FoundObjections) => void;
}
export function PatientObjections(props: PatientObjectionsProps) {
  const { patient, state, mayChange, onChange } = props;
  const { language, words, formats } = useLanguage();
  const { objections: text } = words;
  const [chosen, setChosen] = useState<ObjectionKindCode>();
  const tell = useNotice();
  const changed = (said: string, answer: ObjectionStateView): void => {
    const { jobsEnded, jobsAtHub, ...next } = answer;
    const jobs = text.jobs(formats.number(jobsEnded), formats.number(jobsAtHub));
    tell(jobsEnded + jobsAtHub > 0 ? `${said} ${jobs}` : said);
    setChosen(undefined);
    onChange(next);
  };
  return (
    <>
      <Card title={text.inForce}>
        <Stack gap="xs" aria-live="polite">
          {state.inForce.length === 0 && <Text>{text.none}</Text>}
          {state.inForce.map((kind) => (
            <Group key={kind} gap="sm">
              <StateLabel tone="warn">{OBJECTION_WORDS[kind][language]}</StateLabel>
              {mayChange && (
                <Button
                  {...{ size: 'xs', variant: 'default', onClick: () => setChosen(kind) }}
                  aria-label={`${text.withdraw}: ${OBJECTION_WORDS[kind][language]}`}
                >
                  {text.withdraw}
                </Button>
              )}
            </Group>
          ))}
          {mayChange && (
            <AddObjection patient={patient} onDone={(answer) => changed(text.added, answer)} />
          )}
        </Stack>
      </Card>
      <Card title={text.history}>
        <History rows={state.history} />
      </Card>
      <Dialog
        isOpen={chosen !== undefined}
        title={text.withdrawTitle}
        onClose={() => setChosen(undefined)}
      >
        {chosen && (
          <Withdraw
            {...{ patient, kind: chosen }}
            onDone={(answer) => changed(text.withdrawn, answer)}
          />
        )}
      </Dialog>
    </>
  );
}

interface ChangeProps {
  readonly patient: AskedPatient;
  readonly onDone: (answer: ObjectionStateView) => void;
}
function AddObjection({ patient, onDone }: ChangeProps) {
  const { language, words } = useLanguage();
  const { objections: text } = words;
  const [kind, setKind] = useState<ObjectionKindCode>('ai-in-own-care');
  const add = useAct(gatewayRoutes.setObjection, onDone);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    add.go({ body: { ...patient, kinds: [kind] } });
  };
  return (
    <form onSubmit={submit}>
      <Stack gap="sm" align="flex-start">
        <NativeSelect
          label={text.kind}
          description={text.addText}
          value={kind}
          onChange={({ currentTarget }) =>
            setKind(KINDS.find((one) => one === currentTarget.value) ?? kind)
          }
          data={KINDS.map((value) => ({ value, label: OBJECTION_WORDS[value][language] }))}
        />
        {add.problem && <Fault problem={add.problem} />}
        <Button type="submit" loading={add.isBusy}>
          {text.add}
        </Button>
      </Stack>
    </form>
  );
}

function Withdraw({ patient, kind, onDone }: ChangeProps & { readonly kind: ObjectionKindCode }) {
  const { objections: text } = useWords();
  const withdraw = useAct(gatewayRoutes.withdrawObjection, onDone);
  return (
    <ReasonForm
      action={text.withdraw}
      isBusy={withdraw.isBusy}
      problem={withdraw.problem}
      onSubmit={(reason) => withdraw.go({ body: { ...patient, kinds: [kind], reason } })}
    />
  );
}

function History({ rows }: { readonly rows: readonly ObjectionEntryView[] }) {
  const { language, words } = useLanguage();
  const { objections: text } = words;
  const columns: readonly Column<ObjectionEntryView>[] = [
    {
      ...{ key: 'at', header: text.at, isRowHeader: true },
      cell: ({ recordedAtMs }) => <At atMs={recordedAtMs} />,
    },
    { key: 'event', header: text.event, cell: ({ event }) => text.events[event] },
    { key: 'kind', header: text.kind, cell: ({ kind }) => OBJECTION_WORDS[kind][language] },
    { key: 'source', header: text.source, cell: ({ source }) => text.sources[source] },
    {
      ...{ key: 'since', header: text.since },
      cell: ({ sinceMs }) => (sinceMs === null ? '' : <At atMs={sinceMs} />),
    },
    {
      ...{ key: 'until', header: text.until },
      cell: ({ untilMs, event }) =>
        untilMs !== null ? <At atMs={untilMs} /> : event === 'set' ? text.noEnd : '',
    },
  ];
  return (
    <DataTable
      caption={text.caption}
      columns={columns}
      rows={rows}
      rowKey={(one) => `${rows.length - rows.indexOf(one)}`}
      empty={text.noHistory}
      minWidth={720}
    />
  );
}
