/**
 * The PACS of the set-up page: its address and titles, and putting them in force.
 * Decides that a fresh sign-in comes before anything is typed, so that nothing typed is lost on the
 * way, and that what would change is shown before it is applied.
 * Invariant: the contract's own rules check the form; the server's decide.
 */
import { Button, Group, NativeSelect, Stack, TextInput } from '@mantine/core';
import { useState, type FormEvent } from 'react';
import {
  setupPacsSchema,
  type SetupPacs,
  type SetupSettings,
  type SetupView,
} from '@aifi/contracts-rest';
import { useWords } from '../frame/language.js';
import { useSession } from '../frame/session.js';
import { Facts } from '../parts/facts.js';
import { StepUpGate } from '../parts/step-up.js';
import { ApplySettings } from './setup-apply.js';

interface PacsStepProps {
  readonly view: SetupView;
  readonly pacs: SetupPacs;
  readonly onEdit: (pacs: SetupPacs) => void;
  readonly onChange: () => void;
}

export function PacsStep({ view, pacs, onEdit, onChange }: PacsStepProps) {
  const { setup: text } = useWords();
  const { acts } = useSession();
  const [isEditing, setEditing] = useState(false);
  if (isEditing) {
    return (
      <StepUpGate>
        <PacsForm {...{ view, pacs, onEdit, onChange }} />
      </StepUpGate>
    );
  }
  const { host, port, calledAeTitle, callingAeTitle, commitment } = view.pacs;
  return (
    <Stack gap="sm" align="flex-start">
      <Facts
        rows={[
          [text.host, host],
          [text.port, port],
          [text.called, calledAeTitle],
          [text.calling, callingAeTitle],
          [text.commitment, commitment ? text.on : text.off],
        ]}
      />
      {acts.includes('setup.change') && (
        <Button variant="default" onClick={() => setEditing(true)}>
          {text.edit}
        </Button>
      )}
    </Stack>
  );
}

function PacsForm({ view, pacs, onEdit, onChange }: PacsStepProps) {
  const { setup: text } = useWords();
  const [looked, setLooked] = useState<SetupSettings>();
  const isWhole = setupPacsSchema.safeParse(pacs).success;
  const edit = (next: SetupPacs): void => {
    // What was shown was about other settings.
    setLooked(undefined);
    onEdit(next);
  };
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    setLooked({ ...view.overlay.current, pacs });
  };
  return (
    <Stack gap="sm">
      <form onSubmit={submit}>
        <Stack gap="sm">
          <PacsFields pacs={pacs} onEdit={edit} />
          <Group gap="sm">
            <Button type="submit" disabled={!isWhole || view.overlay.isRestarting}>
              {text.look}
            </Button>
          </Group>
        </Stack>
      </form>
      {looked && <ApplySettings key={JSON.stringify(looked)} settings={looked} onDone={onChange} />}
    </Stack>
  );
}

const SWITCH = ['off', 'on'] as const;

function PacsFields({ pacs, onEdit }: Pick<PacsStepProps, 'pacs' | 'onEdit'>) {
  const { setup: text } = useWords();
  const field = (name: 'host' | 'calledAeTitle' | 'callingAeTitle', label: string) => (
    <TextInput
      {...{ label, required: true, autoComplete: 'off', spellCheck: false, value: pacs[name] }}
      maxLength={name === 'host' ? 253 : 16}
      onChange={(event) => onEdit({ ...pacs, [name]: event.currentTarget.value })}
    />
  );
  return (
    <>
      {field('host', text.host)}
      <TextInput
        {...{ label: text.port, required: true, autoComplete: 'off', inputMode: 'numeric' }}
        value={pacs.port === 0 ? '' : String(pacs.port)}
        maxLength={5}
        onChange={(event) =>
          onEdit({ ...pacs, port: Number(event.currentTarget.value.replace(/\D/g, '')) })
        }
      />
      {field('calledAeTitle', text.called)}
      {field('callingAeTitle', text.calling)}
      <NativeSelect
        {...{ label: text.commitment, value: pacs.commitment ? 'on' : 'off' }}
        data={SWITCH.map((value) => ({ value, label: text[value] }))}
        onChange={(event) => onEdit({ ...pacs, commitment: event.currentTarget.value === 'on' })}
      />
    </>
  );
}
