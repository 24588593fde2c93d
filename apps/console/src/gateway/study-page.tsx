/**
 * Study at the gateway: every hop, each product, deliveries, status object and files.
 * Decides the order of the page: the study itself, then its products, then what lies on the disk.
 * Invariant: no patient attribute is part of a trace; a recorded view is not fetched by itself.
 */
import { gatewayRoutes, type StudyTrace } from '@aifi/contracts-rest';
import { useAnswer, type Answer } from '../api/use-answer.js';
import { gatewayHops } from '../format/hops.js';
import { useLanguage, useWords } from '../frame/language.js';
import { Page } from '../frame/page.js';
import { AnswerView } from '../parts/answer-view.js';
import { Card } from '../parts/card.js';
import { CodeValue } from '../parts/code-value.js';
import { Facts } from '../parts/facts.js';
import { HopList } from '../parts/hop-list.js';
import { Refresh } from '../parts/refresh.js';
import { At } from '../parts/when.js';
import { DeliveryTable } from './delivery-table.js';
import { FilesTable } from './files-table.js';
import { StudyJob } from './study-job.js';

export function StudyPage({ studyInstanceUid }: { readonly studyInstanceUid: string }) {
  const params = { studyInstanceUid };
  return <TracePage answer={useAnswer(gatewayRoutes.study, { params }, { isAudited: true })} />;
}

export function JobPage({ jobId }: { readonly jobId: string }) {
  const params = { jobId };
  return <TracePage answer={useAnswer(gatewayRoutes.jobTrace, { params }, { isAudited: true })} />;
}

function TracePage({ answer }: { readonly answer: Answer<StudyTrace> }) {
  const { study } = useWords().gateway;
  const refresh = (): void => void answer.refetch();
  return (
    <Page
      title={study.title}
      lead={study.lead}
      actions={<Refresh topics={['studies']} isBusy={answer.isFetching} onRefresh={refresh} />}
    >
      <AnswerView answer={answer}>{(trace) => <Trace trace={trace} />}</AnswerView>
    </Page>
  );
}

function Trace({ trace }: { readonly trace: StudyTrace }) {
  const { study } = useWords().gateway;
  const own = trace.journal.filter(({ jobId }) => jobId === null);
  return (
    <div className="aifi-stack">
      <StudyFacts trace={trace} />
      <Card title={study.own}>
        <HopList hops={gatewayHops(own)} label={study.own} />
      </Card>
      {trace.jobs.map((job) => (
        <Card key={job.jobId} title={`${job.product} ${job.version}`}>
          <StudyJob
            job={job}
            journal={trace.journal.filter(({ jobId }) => jobId === job.jobId)}
            currentOf={job.revision === trace.revision ? trace.studyInstanceUid : undefined}
          />
        </Card>
      ))}
      {trace.statusObjects.length > 0 && (
        <Card title={study.status}>
          <DeliveryTable
            caption={study.statusCaption}
            rows={trace.statusObjects.map((one) => ({ ...one, role: 'status' }))}
          />
        </Card>
      )}
      <Card title={study.files}>
        <FilesTable
          rows={[
            { ...trace.files, owner: study.own },
            ...trace.jobs.flatMap(({ files, product }) =>
              files.map((one) => ({ ...one, owner: product })),
            ),
          ]}
        />
      </Card>
    </div>
  );
}

function StudyFacts({ trace }: { readonly trace: StudyTrace }) {
  const { words, formats } = useLanguage();
  const { study } = words.gateway;
  const { received, studyInstanceUid, modality, revision } = trace;
  const callers = received.callingAeTitles.join(', ');
  const text = study.receivedText(received.instances, callers || words.frame.unknown);
  return (
    <Facts
      rows={[
        [study.uid, <CodeValue key="uid" value={studyInstanceUid} label={study.uid} isWhole />],
        [words.gateway.studies.study, modality],
        [
          study.received,
          <span key="received">
            {text}, {formats.size(received.bytes)}, <At atMs={received.firstAtMs} />
          </span>,
        ],
        received.open > 0 ? [study.open, formats.number(received.open)] : undefined,
        received.conflicts > 0 ? [study.conflicts, formats.number(received.conflicts)] : undefined,
        [study.revision, revision === 0 ? '–' : revision],
      ]}
    />
  );
}
