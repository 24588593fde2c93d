/**
 * Re-identify: whose study a pseudonymous job is, after two persons agreed.
 * Decides that the result is asked for by an act of its own, since each look is recorded, and that
 * it is gone when the page is left. Source: security specification 5 (linkage, two persons).
 */
import { Button, Group, Stack, TextInput } from '@mantine/core';
import { useState, type FormEvent, type ReactNode } from 'react';
import { gatewayRoutes } from '@aifi/contracts-rest';
import { useLocation } from 'wouter';
import { useAnswer } from '../api/use-answer.js';
import { useWords } from '../frame/language.js';
import { Page } from '../frame/page.js';
import { useSession } from '../frame/session.js';
import { AnswerView } from '../parts/answer-view.js';
import { Card } from '../parts/card.js';
import { CodeValue } from '../parts/code-value.js';
import { Facts } from '../parts/facts.js';
import { PageLink } from '../parts/page-link.js';
import { StepUpGate } from '../parts/step-up.js';
import { TwoPerson } from '../pages/two-person.js';
import { PatientFacts } from './patient.js';

const JOB_ID = /^[0-9a-f]{32}$/;

export function ReidentifyPage({ jobId }: { readonly jobId: string }) {
  const { reidentify } = useWords().gateway;
  return (
    <Page title={reidentify.title} lead={reidentify.lead}>
      <JobForm jobId={jobId} />
      {JOB_ID.test(jobId) && <JobLinkage jobId={jobId} />}
    </Page>
  );
}

function JobForm({ jobId }: { readonly jobId: string }) {
  const { reidentify } = useWords().gateway;
  const [value, setValue] = useState(jobId);
  const [isWrong, setWrong] = useState(jobId !== '' && !JOB_ID.test(jobId));
  const [, navigate] = useLocation();
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    const wanted = value.trim().toLowerCase();
    const isRight = JOB_ID.test(wanted);
    setWrong(!isRight);
    if (isRight) navigate(`/reidentify/${wanted}`);
  };
  return (
    <form noValidate onSubmit={submit} className="aifi-job-form">
      <Group align="flex-start">
        <TextInput
          {...{ w: 380, maw: '100%', maxLength: 40, required: true }}
          label={reidentify.job}
          description={reidentify.jobHint}
          value={value}
          error={isWrong ? reidentify.jobBad : undefined}
          onChange={(event) => setValue(event.currentTarget.value)}
        />
        <Button type="submit" mt={46}>
          {reidentify.look}
        </Button>
      </Group>
    </form>
  );
}

function JobLinkage({ jobId }: { readonly jobId: string }) {
  const { reidentify } = useWords().gateway;
  const { siteIds } = useSession();
  const status = useAnswer(gatewayRoutes.status, {}, { topics: ['status'] });
  const siteId = status.data?.siteId ?? siteIds[0] ?? '';
  return (
    <Card title={`${reidentify.job} ${jobId}`}>
      <TwoPerson
        subject={{ act: 'linkage.read', siteId, objectId: jobId }}
        askLabel={reidentify.ask}
        askHint={reidentify.askHint}
      >
        {(ask) => (
          <StepUpGate>
            <Linkage jobId={jobId} ask={ask} />
          </StepUpGate>
        )}
      </TwoPerson>
    </Card>
  );
}

interface LinkageProps {
  readonly jobId: string;
  readonly ask: ReactNode;
}
function Linkage({ jobId, ask }: LinkageProps) {
  const { reidentify } = useWords().gateway;
  const [isWanted, setWanted] = useState(false);
  const options = { isAudited: true, isWanted };
  const answer = useAnswer(gatewayRoutes.reidentify, { params: { jobId } }, options);
  if (!isWanted) {
    return (
      <Group>
        <Button onClick={() => setWanted(true)}>{reidentify.show}</Button>
      </Group>
    );
  }
  return (
    <AnswerView answer={answer} onApprovalRequired={ask}>
      {({ patient, studyInstanceUid, studyPseudonym }) => (
        <Stack gap="sm" role="region" aria-label={reidentify.result}>
          <PatientFacts patient={patient} />
          <Facts
            rows={[
              [
                reidentify.study,
                <PageLink key="study" to={`/studies/${studyInstanceUid}`}>
                  {studyInstanceUid}
                </PageLink>,
              ],
              [
                reidentify.pseudonym,
                <CodeValue
                  key="pseudonym"
                  value={studyPseudonym}
                  label={reidentify.pseudonym}
                  isWhole
                />,
              ],
            ]}
          />
        </Stack>
      )}
    </AnswerView>
  );
}
