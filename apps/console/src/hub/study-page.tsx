/**
 * Study by pseudonym: every hop of each of its jobs at the hub, and break-glass to its images.
 * Decides the order of the page: what happened first, images last and closed.
 * Invariant: no identity exists here; a recorded view is not fetched again by itself.
 */
import { Stack, Text } from '@mantine/core';
import { hubRoutes, type HubJob } from '@aifi/contracts-rest';
import { useAnswer } from '../api/use-answer.js';
import { hubHops } from '../format/hops.js';
import { jobTone } from '../format/tones.js';
import { useLanguage, useWords } from '../frame/language.js';
import { Page } from '../frame/page.js';
import { useSession } from '../frame/session.js';
import { AnswerView } from '../parts/answer-view.js';
import { Card } from '../parts/card.js';
import { CodeValue } from '../parts/code-value.js';
import { Facts } from '../parts/facts.js';
import { codeWords, HopList } from '../parts/hop-list.js';
import { PageLink } from '../parts/page-link.js';
import { Refresh } from '../parts/refresh.js';
import { StateLabel } from '../parts/state-label.js';
import { termOf } from '../words/words.js';
import { BreakGlass } from './break-glass.js';

interface StudyPageProps {
  readonly siteId: string;
  readonly studyPseudonym: string;
}
export function StudyPage({ siteId, studyPseudonym }: StudyPageProps) {
  const { study } = useWords().hub;
  const { acts } = useSession();
  const params = { siteId, studyPseudonym };
  const answer = useAnswer(hubRoutes.study, { params }, { isAudited: true });
  const refresh = (): void => void answer.refetch();
  return (
    <Page
      title={study.title}
      lead={study.lead}
      actions={<Refresh topics={['studies']} isBusy={answer.isFetching} onRefresh={refresh} />}
    >
      <Facts
        rows={[
          [
            study.pseudonym,
            <CodeValue key="uid" value={studyPseudonym} label={study.pseudonym} isWhole />,
          ],
          [
            study.siteName,
            <PageLink key="site" to={`/sites/${siteId}`}>
              {siteId}
            </PageLink>,
          ],
        ]}
      />
      <AnswerView answer={answer}>{({ jobs }) => <Jobs jobs={jobs} />}</AnswerView>
      {acts.includes('pixels.read') && <BreakGlass {...params} />}
    </Page>
  );
}

export function JobPage({ jobId }: { readonly jobId: string }) {
  const { study } = useWords().hub;
  const answer = useAnswer(hubRoutes.job, { params: { jobId } }, { isAudited: true });
  const refresh = (): void => void answer.refetch();
  return (
    <Page
      title={study.jobTitle}
      lead={study.lead}
      actions={<Refresh topics={['studies']} isBusy={answer.isFetching} onRefresh={refresh} />}
    >
      <AnswerView answer={answer}>{({ jobs }) => <Jobs jobs={jobs} hasSite />}</AnswerView>
    </Page>
  );
}

interface JobsProps {
  readonly jobs: readonly HubJob[];
  readonly hasSite?: boolean;
}
function Jobs({ jobs, hasSite = false }: JobsProps) {
  const { study } = useWords().hub;
  if (jobs.length === 0) return <p className="aifi-empty">{study.noJobs}</p>;
  return (
    <div className="aifi-stack">
      {jobs.map((job) => (
        <Card
          key={`${job.siteId} ${job.jobId}`}
          title={`${hasSite ? `${job.siteId}: ` : ''}${job.product} ${job.version}`}
        >
          <Job job={job} />
        </Card>
      ))}
    </div>
  );
}

function Job({ job }: { readonly job: HubJob }) {
  const state = useLanguage();
  const { words } = state;
  const { study } = words.hub;
  return (
    <Stack gap="md">
      <div>
        <StateLabel tone={job.code ? 'warn' : jobTone(job.state)}>
          {termOf(words.terms.jobStates, job.state)}
        </StateLabel>
        {job.code && <Text mt={4}>{codeWords(job.code, state)}</Text>}
      </div>
      <JobFacts job={job} />
      <HopList hops={hubHops(job)} label={study.hops(job.product)} />
    </Stack>
  );
}

function JobFacts({ job }: { readonly job: HubJob }) {
  const { words, formats } = useLanguage();
  const { study, studies } = words.hub;
  const { openedAtMs, acknowledgedAtMs } = job.times;
  const { held, declared, bytes } = job.objects;
  return (
    <Facts
      rows={[
        [studies.jobId, <CodeValue key="job" value={job.jobId} label={studies.jobId} isWhole />],
        [study.lane, termOf(words.terms.lanes, job.lane)],
        [study.revision, job.revision],
        [study.objects, `${study.objectsOf(held, declared)}, ${formats.size(bytes)}`],
        [study.model, <CodeValue key="model" value={job.modelDigest} label={study.model} />],
        acknowledgedAtMs === null
          ? undefined
          : [study.total, formats.duration(acknowledgedAtMs - openedAtMs)],
      ]}
    />
  );
}
