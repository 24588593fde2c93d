/**
 * Set-up: the steps from a new gateway to a tried PACS, for hospital IT.
 * Decides their order, and that what was found stays until it is checked again.
 * Invariants: nothing is applied without a look at what changes; no test object without a choice.
 * Source: docs/runbooks/set-up.md.
 */
import { Alert, Stack, Text } from '@mantine/core';
import { useEffect, useState } from 'react';
import { gatewayRoutes, type SetupPacs, type SetupView } from '@aifi/contracts-rest';
import { useAnswer } from '../api/use-answer.js';
import { useLanguage, useWords } from '../frame/language.js';
import { Page } from '../frame/page.js';
import { useSession } from '../frame/session.js';
import { AnswerView } from '../parts/answer-view.js';
import { Card } from '../parts/card.js';
import { PageLink } from '../parts/page-link.js';
import { StateLabel } from '../parts/state-label.js';
import { UndoSettings } from './setup-apply.js';
import { Listener } from './setup-callers.js';
import { Checks } from './setup-checks.js';
import { PacsStep } from './setup-pacs.js';
import { ProbeCard } from './setup-probe.js';
import { STATUS_TOPICS } from './undelivered.js';

/** While something is under way: a gateway that starts anew tells nothing by itself. @unit ms */
const LOOK_EVERY_MS = 1_500;

export function SetupPage() {
  const { setup: text } = useWords();
  const { acts } = useSession();
  const answer = useAnswer(gatewayRoutes.setup, {}, { topics: STATUS_TOPICS });
  const { data, refetch } = answer;
  const isBusy = data !== undefined && (data.isChecking || data.overlay.isRestarting);
  useEffect(() => {
    if (!isBusy) return undefined;
    const timer = setInterval(() => void refetch(), LOOK_EVERY_MS);
    return () => clearInterval(timer);
  }, [isBusy, refetch]);
  return (
    <Page title={text.title} lead={text.lead}>
      <div className="aifi-stack">
        <JoinStep />
        <AnswerView answer={answer}>
          {(view) => (
            // Other settings in force: the form starts from them.
            <Steps key={JSON.stringify(view.pacs)} view={view} onChange={() => void refetch()} />
          )}
        </AnswerView>
        {acts.includes('catalogue.read') && (
          <Card title={text.catalogueTitle}>
            <Stack gap="xs" align="flex-start">
              <Text>{text.catalogueText}</Text>
              <PageLink to="/catalogue">{text.catalogueGo}</PageLink>
            </Stack>
          </Card>
        )}
        <ProbeCard />
      </div>
    </Page>
  );
}

function JoinStep() {
  const { setup: text } = useWords();
  const { data } = useAnswer(gatewayRoutes.link, {}, { topics: STATUS_TOPICS });
  const isOpen = data?.mode === 'not-joined';
  const words = data?.mode === 'files' ? text.joinFiles : text.joinDone;
  return (
    <Card title={text.joinTitle}>
      <Stack gap="xs" align="flex-start">
        {data && (
          <StateLabel tone={isOpen ? 'warn' : 'ok'}>{isOpen ? text.joinOpen : words}</StateLabel>
        )}
        <PageLink to="/link">{text.joinGo}</PageLink>
      </Stack>
    </Card>
  );
}

interface StepsProps {
  readonly view: SetupView;
  readonly onChange: () => void;
}
function Steps({ view, onChange }: StepsProps) {
  const { setup: text } = useWords();
  const { formats } = useLanguage();
  const [pacs, setPacs] = useState<SetupPacs>(view.pacs);
  const { isRestarting, rolledBackAtMs } = view.overlay;
  return (
    <div className="aifi-stack">
      <div aria-live="polite">
        {isRestarting && <StateLabel tone="busy">{text.restarting}</StateLabel>}
      </div>
      {rolledBackAtMs !== null && (
        <Alert color="red" variant="outline">
          {text.rolledBack(formats.exact(rolledBackAtMs))}
        </Alert>
      )}
      <Card title={text.pacsTitle}>
        <Stack gap="sm">
          <Text>{text.pacsText}</Text>
          {view.isDicomWeb && <Text>{text.web}</Text>}
          <PacsStep view={view} pacs={pacs} onEdit={setPacs} onChange={onChange} />
          {view.overlay.canUndo && <UndoSettings onDone={onChange} />}
        </Stack>
      </Card>
      <Listener view={view} onChange={onChange} />
      <Checks view={view} pacs={pacs} onChange={onChange} />
    </div>
  );
}
