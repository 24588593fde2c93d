/**
 * Masked patients: whose identity is masked, for the privacy officer.
 * Decides nothing; the number of a patient goes in a body, never in an address.
 */
import { Button, NativeSelect, Stack, TextInput } from '@mantine/core';
import { useState, type FormEvent } from 'react';
import { gatewayRoutes, type PatientFlag } from '@aifi/contracts-rest';
import { useAct, useAnswer, useCursor } from '../api/use-answer.js';
import { useWords } from '../frame/language.js';
import { useNotice } from '../frame/notices.js';
import { Page } from '../frame/page.js';
import { AnswerView } from '../parts/answer-view.js';
import { DataTable, type Column } from '../parts/data-table.js';
import { Dialog } from '../parts/dialog.js';
import { Fault } from '../parts/fault.js';
import { Pager } from '../parts/pager.js';
import { ReasonForm } from '../parts/reason-form.js';
import { At } from '../parts/when.js';

const KINDS = ['vip', 'own-staff'] as const;

export function FlagsPage() {
  const { flags } = useWords().gateway;
  const [isAdding, setAdding] = useState(false);
  const [chosen, setChosen] = useState<PatientFlag>();
  const cursor = useCursor('flags');
  const query = { cursor: cursor.cursor };
  const options = { isAudited: true, isPaged: true };
  const answer = useAnswer(gatewayRoutes.patientFlags, { query }, options);
  const changed = (): void => {
    setAdding(false);
    setChosen(undefined);
    void answer.refetch();
  };
  return (
    <Page
      title={flags.title}
      lead={flags.lead}
      actions={<Button onClick={() => setAdding(true)}>{flags.add}</Button>}
    >
      <AnswerView answer={answer}>
        {({ items, nextCursor }) => (
          <>
            <FlagTable rows={items} onRemove={setChosen} />
            <Pager cursor={cursor} nextCursor={nextCursor} />
          </>
        )}
      </AnswerView>
      <Dialog isOpen={isAdding} title={flags.addTitle} onClose={() => setAdding(false)}>
        <AddFlag onDone={changed} />
      </Dialog>
      <Dialog
        isOpen={chosen !== undefined}
        title={flags.removeTitle}
        onClose={() => setChosen(undefined)}
      >
        {chosen && <RemoveFlag flag={chosen} onDone={changed} />}
      </Dialog>
    </Page>
  );
}

interface FlagTableProps {
  readonly rows: readonly PatientFlag[];
  readonly onRemove: (flag: PatientFlag) => void;
}
function FlagTable({ rows, onRemove }: FlagTableProps) {
  const { gateway, terms, frame } = useWords();
  const { flags } = gateway;
  const columns: readonly Column<PatientFlag>[] = [
    {
      ...{ key: 'patient', header: flags.patientId, isRowHeader: true },
      cell: ({ patientId, issuer }) => (issuer ? `${patientId} (${issuer})` : patientId),
    },
    { key: 'kind', header: flags.kind, cell: ({ kind }) => terms.masks[kind] },
    { key: 'since', header: flags.since, cell: ({ sinceMs }) => <At atMs={sinceMs} /> },
    { key: 'by', header: flags.setBy, cell: ({ setBy }) => setBy },
    {
      ...{ key: 'remove', header: frame.actions, isHeaderHidden: true },
      cell: (flag) => (
        <Button
          {...{ size: 'xs', variant: 'default', onClick: () => onRemove(flag) }}
          aria-label={`${flags.remove}: ${flag.patientId}`}
        >
          {flags.remove}
        </Button>
      ),
    },
  ];
  return (
    <DataTable
      caption={flags.caption}
      columns={columns}
      rows={rows}
      rowKey={({ id }) => id}
      empty={flags.none}
      minWidth={640}
    />
  );
}

function AddFlag({ onDone }: { readonly onDone: () => void }) {
  const { gateway, terms } = useWords();
  const { flags } = gateway;
  const tell = useNotice();
  const [patientId, setPatientId] = useState('');
  const [issuer, setIssuer] = useState('');
  const [kind, setKind] = useState<(typeof KINDS)[number]>('vip');
  const add = useAct(gatewayRoutes.setPatientFlag, () => {
    tell(flags.added);
    onDone();
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    add.go({ body: { patientId, issuer: issuer.trim() || null, kind } });
  };
  return (
    <form onSubmit={submit}>
      <Stack gap="sm">
        <TextInput
          {...{ label: flags.patientId, required: true, maxLength: 64, value: patientId }}
          autoComplete="off"
          onChange={(event) => setPatientId(event.currentTarget.value)}
        />
        <TextInput
          {...{ label: flags.issuer, maxLength: 64, value: issuer }}
          onChange={(event) => setIssuer(event.currentTarget.value)}
        />
        <NativeSelect
          label={flags.kind}
          value={kind}
          onChange={({ currentTarget }) =>
            setKind(KINDS.find((one) => one === currentTarget.value) ?? 'vip')
          }
          data={KINDS.map((value) => ({ value, label: terms.masks[value] }))}
        />
        {add.problem && <Fault problem={add.problem} />}
        <Button type="submit" loading={add.isBusy}>
          {flags.add}
        </Button>
      </Stack>
    </form>
  );
}

interface RemoveFlagProps {
  readonly flag: PatientFlag;
  readonly onDone: () => void;
}
function RemoveFlag({ flag, onDone }: RemoveFlagProps) {
  const { flags } = useWords().gateway;
  const tell = useNotice();
  const remove = useAct(gatewayRoutes.removePatientFlag, () => {
    tell(flags.removed);
    onDone();
  });
  return (
    <ReasonForm
      action={flags.remove}
      isBusy={remove.isBusy}
      problem={remove.problem}
      onSubmit={(reason) => remove.go({ params: { flagId: flag.id }, body: { reason } })}
    />
  );
}
