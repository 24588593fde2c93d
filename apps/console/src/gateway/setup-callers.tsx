/**
 * The listener of the set-up page: where images go, and who may send them.
 * Decides that a sender is added with its address, because an AE title alone proves nothing.
 */
import { Button, Stack, TextInput } from '@mantine/core';
import { useState, type FormEvent } from 'react';
import { setupCallerSchema, type SetupSettings, type SetupView } from '@aifi/contracts-rest';
import { useWords } from '../frame/language.js';
import { useSession } from '../frame/session.js';
import { Card } from '../parts/card.js';
import { Facts } from '../parts/facts.js';
import { StepUpGate } from '../parts/step-up.js';
import { ApplySettings } from './setup-apply.js';

interface ListenerProps {
  readonly view: SetupView;
  readonly onChange: () => void;
}

export function Listener({ view, onChange }: ListenerProps) {
  const { setup: text } = useWords();
  const { acts } = useSession();
  const [isAdding, setAdding] = useState(false);
  const { aeTitle, host, port } = view.listener;
  const callers = view.callers.map((caller) =>
    caller.isOverTls || caller.host === null
      ? text.callerTls(caller.aeTitle)
      : text.callerAt(caller.aeTitle, caller.host),
  );
  return (
    <Card title={text.listenerTitle}>
      <Stack gap="sm" align="flex-start">
        <Facts
          rows={[
            [text.listenerTitleAe, aeTitle],
            [text.listenerAt, `${host}:${port ?? ''}`],
            [text.callers, callers.join(', ')],
          ]}
        />
        {acts.includes('setup.change') && !isAdding && (
          <Button variant="default" onClick={() => setAdding(true)}>
            {text.callerTitle}
          </Button>
        )}
        {isAdding && (
          <StepUpGate>
            <CallerForm view={view} onChange={onChange} />
          </StepUpGate>
        )}
      </Stack>
    </Card>
  );
}

function CallerForm({ view, onChange }: ListenerProps) {
  const { setup: text } = useWords();
  const [aeTitle, setTitle] = useState('');
  const [host, setHost] = useState('');
  const [looked, setLooked] = useState<SetupSettings>();
  const caller = setupCallerSchema.safeParse({ aeTitle, host: host.trim() });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (!caller.success) return;
    const { current } = view.overlay;
    const others = (current?.callers ?? []).filter((one) => one.aeTitle !== aeTitle);
    setLooked({ ...current, callers: [...others, caller.data] });
  };
  return (
    <Stack gap="sm">
      <form onSubmit={submit} className="aifi-filters">
        <TextInput
          {...{ label: text.callerAe, required: true, maxLength: 16, value: aeTitle }}
          {...{ autoComplete: 'off', spellCheck: false }}
          onChange={(event) => {
            setLooked(undefined);
            setTitle(event.currentTarget.value);
          }}
        />
        <TextInput
          {...{ label: text.callerHost, required: true, maxLength: 45, value: host }}
          autoComplete="off"
          onChange={(event) => {
            setLooked(undefined);
            setHost(event.currentTarget.value);
          }}
        />
        <Button type="submit" disabled={!caller.success}>
          {text.callerAdd}
        </Button>
      </form>
      {looked && <ApplySettings key={JSON.stringify(looked)} settings={looked} onDone={onChange} />}
    </Stack>
  );
}
