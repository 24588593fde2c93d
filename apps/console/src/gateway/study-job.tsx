/** StudyJob: one product's work on a study: state, reason, hops, deliveries. Decides nothing. */
import { Stack, Text } from '@mantine/core';
import type { GatewayHop, GatewayJob } from '@aifi/contracts-rest';
import { gatewayHops } from '../format/hops.js';
import { jobTone } from '../format/tones.js';
import { useLanguage } from '../frame/language.js';
import { useSession } from '../frame/session.js';
import { CodeValue } from '../parts/code-value.js';
import { Facts } from '../parts/facts.js';
import { codeWords, HopList } from '../parts/hop-list.js';
import { PageLink } from '../parts/page-link.js';
import { StateLabel } from '../parts/state-label.js';
import { At } from '../parts/when.js';
import { termOf } from '../words/words.js';
import { DeliveryTable } from './delivery-table.js';
import { RequestProduct } from './request-product.js';
import { RetryJob } from './retry-job.js';

interface StudyJobProps {
  readonly job: GatewayJob;
  /** Of this job. */
  readonly journal: readonly GatewayHop[];
  /** Of its study, when it is of the newest revision. */
  readonly currentOf?: string | undefined;
}
export function StudyJob({ job, journal, currentOf }: StudyJobProps) {
  const state = useLanguage();
  const { words } = state;
  const { study } = words.gateway;
  return (
    <Stack gap="md">
      <div>
        <StateLabel tone={jobTone(job.state)}>
          {termOf(words.terms.jobStates, job.state)}
        </StateLabel>
        {job.code && <Text mt={4}>{codeWords(job.code, state)}</Text>}
        {job.detail && <Text className="aifi-dimmed">{job.detail}</Text>}
        {job.waitingImages !== undefined && <WaitingImages job={job} />}
      </div>
      <RetryJob job={job} />
      {currentOf !== undefined && <RequestProduct job={job} studyInstanceUid={currentOf} />}
      <JobFacts job={job} />
      <HopList hops={gatewayHops(journal)} label={study.hops(job.product)} />
      {job.deliveries.length > 0 && (
        <DeliveryTable caption={study.deliveriesCaption} rows={job.deliveries} />
      )}
    </Stack>
  );
}

/** What keeps the job, and the way to it for who may see it. */
function WaitingImages({ job: { jobId, waitingImages = 0 } }: { readonly job: GatewayJob }) {
  const { study } = useLanguage().words.gateway;
  const { acts } = useSession();
  return (
    <Text mt={4}>
      {study.waits(waitingImages)}{' '}
      {acts.includes('pixel-holds.read') && (
        <PageLink to={`/pixel-holds/job/${jobId}`}>{study.look}</PageLink>
      )}
    </Text>
  );
}

function JobFacts({ job }: { readonly job: GatewayJob }) {
  const { words, formats } = useLanguage();
  const { study } = words.gateway;
  const { terms, hub } = words;
  const { upload, terminalAtMs, deadlineAtMs } = job;
  return (
    <Facts
      rows={[
        [
          hub.studies.jobId,
          <CodeValue key="job" value={job.jobId} label={hub.studies.jobId} isWhole />,
        ],
        [study.lane, termOf(terms.lanes, job.lane)],
        [study.revision, job.revision],
        [study.model, <CodeValue key="model" value={job.modelDigest} label={study.model} />],
        terminalAtMs === null ? [study.deadline, <At key="end" atMs={deadlineAtMs} />] : undefined,
        upload
          ? [
              study.upload,
              <span key="upload">
                {termOf(terms.uploadStates, upload.state)},{' '}
                {study.uploadText(upload.acknowledged, upload.objects)},{' '}
                {formats.size(upload.bytes)}
              </span>,
            ]
          : undefined,
        upload && upload.state === 'QUEUED' && upload.lastFault
          ? [study.nextAttempt, <Retry key="retry" upload={upload} />]
          : undefined,
      ]}
    />
  );
}

function Retry({ upload }: { readonly upload: NonNullable<GatewayJob['upload']> }) {
  const state = useLanguage();
  const { study } = state.words.gateway;
  return (
    <>
      <At atMs={upload.nextAttemptAtMs} />, {study.attempts} {upload.attempts},{' '}
      {upload.lastFault && codeWords(upload.lastFault, state)}
    </>
  );
}
