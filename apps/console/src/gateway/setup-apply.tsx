/**
 * Applying settings of the set-up page, and going back to those before.
 * Decides that nothing is applied that was not looked at: the button comes with what would change.
 * Invariant: what the configuration does not allow has no button.
 * Source: conventions "Remote settings: plan, validate, apply, roll back".
 */
import { Button, Group, Stack, Text } from '@mantine/core';
import { useEffect, useRef, useState } from 'react';
import { gatewayRoutes, type SetupPlan, type SetupSettings } from '@aifi/contracts-rest';
import { useAct } from '../api/use-answer.js';
import { useWords } from '../frame/language.js';
import { useNotice } from '../frame/notices.js';
import { Fault } from '../parts/fault.js';
import { StepUpGate } from '../parts/step-up.js';

interface ApplyProps {
  readonly settings: SetupSettings;
  readonly onDone: () => void;
}

/** Asks what would change, shows it, and applies it when told to. */
export function ApplySettings({ settings, onDone }: ApplyProps) {
  const { setup: text } = useWords();
  const tell = useNotice();
  const [planned, setPlanned] = useState<SetupPlan>();
  const plan = useAct(gatewayRoutes.planSetup, setPlanned);
  const apply = useAct(gatewayRoutes.applySetup, () => {
    tell(text.applied);
    onDone();
  });
  const isAsked = useRef(false);
  useEffect(() => {
    if (isAsked.current) return;
    isAsked.current = true;
    plan.go({ body: { settings } });
  }, [plan, settings]);
  if (plan.problem) return <Fault problem={plan.problem} />;
  if (!planned) return null;
  return (
    <Stack gap="sm" align="flex-start">
      <Planned plan={planned} />
      {planned.changes.length > 0 && (
        <>
          <Text>{text.applyText}</Text>
          {apply.problem && <Fault problem={apply.problem} />}
          <Button loading={apply.isBusy} onClick={() => apply.go({ body: { settings } })}>
            {text.apply}
          </Button>
        </>
      )}
    </Stack>
  );
}

function Planned({ plan: { changes, problems } }: { readonly plan: SetupPlan }) {
  const { setup: text } = useWords();
  if (problems.length > 0) {
    return (
      <div role="alert">
        <Text>{text.cannot}</Text>
        <ul>
          {problems.map(({ setting, message }) => (
            <li key={`${setting} ${message}`}>{text.problem(setting, message)}</li>
          ))}
        </ul>
      </div>
    );
  }
  if (changes.length === 0) return <Text>{text.nothingChanges}</Text>;
  return (
    <ul>
      {changes.map(({ setting, from, to }) => (
        <li key={setting}>{text.change(setting, from, to)}</li>
      ))}
    </ul>
  );
}

/** One button: what it leads to was in force before. */
export function UndoSettings({ onDone }: Pick<ApplyProps, 'onDone'>) {
  const { setup: text } = useWords();
  const tell = useNotice();
  const [isOpen, setOpen] = useState(false);
  const undo = useAct(gatewayRoutes.undoSetup, () => {
    tell(text.applied);
    onDone();
  });
  if (!isOpen) {
    return (
      <Group>
        <Button variant="subtle" onClick={() => setOpen(true)}>
          {text.undo}
        </Button>
      </Group>
    );
  }
  return (
    <StepUpGate>
      <Stack gap="sm" align="flex-start">
        <Text>{text.applyText}</Text>
        {undo.problem && <Fault problem={undo.problem} />}
        <Button loading={undo.isBusy} onClick={() => undo.go({ body: {} })}>
          {text.undo}
        </Button>
      </Stack>
    </StepUpGate>
  );
}
