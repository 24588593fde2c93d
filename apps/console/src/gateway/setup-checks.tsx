/**
 * The checks of the set-up page: what was found at the PACS, and what to ask its vendor.
 * Decides that each check says what was seen and what to do, and can be made again alone.
 * Invariant: no object is stored unless that was chosen on this page, for this run.
 */
import { Button, Group, NativeSelect, Stack, Text } from '@mantine/core';
import { useState } from 'react';
import {
  gatewayRoutes,
  SETUP_CHECKS,
  setupFindingWords,
  type SetupCheck,
  type SetupPacs,
  type SetupView,
} from '@aifi/contracts-rest';
import { useAct } from '../api/use-answer.js';
import { useLanguage, useWords } from '../frame/language.js';
import { useSession } from '../frame/session.js';
import { Card } from '../parts/card.js';
import { Fault } from '../parts/fault.js';
import { StateLabel } from '../parts/state-label.js';

const TONES = {
  ...({ passed: 'ok', advice: 'warn', waiting: 'busy', failed: 'bad' } as const),
  'not-run': 'quiet',
} as const;
const MAY_STORE = ['no', 'yes'] as const;

interface ChecksProps {
  readonly view: SetupView;
  /** As it stands in the form. */
  readonly pacs: SetupPacs;
  readonly onChange: () => void;
}

export function Checks({ view, pacs, onChange }: ChecksProps) {
  const { setup: text } = useWords();
  const { acts } = useSession();
  const [mayStore, setMayStore] = useState(false);
  const run = useAct(gatewayRoutes.runSetupChecks, onChange);
  const stop = useAct(gatewayRoutes.stopSetupChecks, onChange);
  const mayCheck = acts.includes('setup.check');
  const start = (checks: readonly SetupCheck[]): void =>
    run.go({ body: { checks: [...checks], mayStore, pacs } });
  const storing = { no: text.mayStoreNo, yes: text.mayStoreYes };
  return (
    <Card title={text.checksTitle}>
      <Stack gap="md">
        <Text>{text.checksText}</Text>
        {mayCheck && (
          <>
            <NativeSelect
              {...{ label: text.mayStore, value: mayStore ? 'yes' : 'no', maw: '40rem' }}
              data={MAY_STORE.map((value) => ({ value, label: storing[value] }))}
              onChange={(event) => setMayStore(event.currentTarget.value === 'yes')}
            />
            <Group gap="sm">
              <Button
                loading={run.isBusy}
                disabled={view.isChecking}
                onClick={() => start(SETUP_CHECKS)}
              >
                {text.checkAll}
              </Button>
              {view.isChecking && (
                <Button variant="default" onClick={() => stop.go({ body: {} })}>
                  {text.stop}
                </Button>
              )}
            </Group>
          </>
        )}
        {(run.problem ?? stop.problem) && <Fault problem={(run.problem ?? stop.problem)!} />}
        <div aria-live="polite">
          {view.isChecking && <StateLabel tone="busy">{text.checking}</StateLabel>}
        </div>
        {view.checks.map((check) => (
          <CheckLine
            {...{ key: check.name, check }}
            onAgain={mayCheck && !view.isChecking ? () => start([check.name]) : undefined}
          />
        ))}
      </Stack>
    </Card>
  );
}

interface CheckLineProps {
  readonly check: SetupView['checks'][number];
  readonly onAgain: (() => void) | undefined;
}
function CheckLine({ check: { name, state, findings, target, atMs }, onAgain }: CheckLineProps) {
  const { setup: text } = useWords();
  const { language, formats } = useLanguage();
  return (
    <section aria-label={text.names[name]} data-check={name} data-state={state} data-at={atMs}>
      <Group gap="sm">
        <Text fw={600}>{text.names[name]}</Text>
        <StateLabel tone={TONES[state]}>{text.states[state]}</StateLabel>
        {target !== null && atMs !== null && (
          <Text size="sm" c="dimmed">
            {text.seenAt(target, formats.exact(atMs))}
          </Text>
        )}
        {onAgain && (
          <Button
            {...{ variant: 'subtle', size: 'compact-sm', onClick: onAgain }}
            aria-label={text.checkOne(text.names[name])}
          >
            {text.again}
          </Button>
        )}
      </Group>
      {findings.map((finding, index) => {
        const words = setupFindingWords(finding)?.[language];
        return (
          <Stack key={`${finding.code} ${index}`} gap={2} mt="xs">
            <Text>{words?.seen ?? finding.code}</Text>
            {words && <Text>{words.ask}</Text>}
          </Stack>
        );
      })}
    </section>
  );
}
