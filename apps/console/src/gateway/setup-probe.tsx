/** The probe on the set-up page: how it last went, and a run by hand. Decides nothing. */
import { Button, Stack, Text } from '@mantine/core';
import { gatewayRoutes, type ProbeRunView } from '@aifi/contracts-rest';
import { useAct, useAnswer } from '../api/use-answer.js';
import { useLanguage, useWords } from '../frame/language.js';
import { useSession } from '../frame/session.js';
import { AnswerView } from '../parts/answer-view.js';
import { Card } from '../parts/card.js';
import { Facts } from '../parts/facts.js';
import { Fault } from '../parts/fault.js';
import { StateLabel } from '../parts/state-label.js';
import { STATUS_TOPICS } from './undelivered.js';

export function ProbeCard() {
  const { setup: text } = useWords();
  const { acts } = useSession();
  const answer = useAnswer(gatewayRoutes.probe, {}, { topics: STATUS_TOPICS });
  const run = useAct(gatewayRoutes.runProbe, () => void answer.refetch());
  return (
    <Card title={text.probeTitle}>
      <AnswerView answer={answer}>
        {({ runs, intervalMs }) => (
          <Stack gap="sm" align="flex-start">
            <Text>{text.probeText(intervalMs / 60_000)}</Text>
            {runs[0] ? <LastRun run={runs[0]} /> : <Text>{text.probeNone}</Text>}
            {run.problem && <Fault problem={run.problem} />}
            {acts.includes('probe.run') && (
              <Button variant="default" loading={run.isBusy} onClick={() => run.go({ body: {} })}>
                {text.probeRun}
              </Button>
            )}
          </Stack>
        )}
      </AnswerView>
    </Card>
  );
}

function LastRun({ run: { atMs, durationMs, failedAt, code } }: { readonly run: ProbeRunView }) {
  const { setup: text } = useWords();
  const { formats } = useLanguage();
  const isGood = failedAt === null;
  return (
    <>
      <StateLabel tone={isGood ? 'ok' : 'bad'}>
        {isGood ? text.probeGood : text.probeBad(text.steps[failedAt], code ?? '')}
      </StateLabel>
      <Facts
        rows={[
          [text.probeAt, formats.exact(atMs)],
          [text.probeTook, text.seconds(formats.number(durationMs / 1_000))],
        ]}
      />
    </>
  );
}
