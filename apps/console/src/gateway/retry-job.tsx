/**
 * RetryJob: tries a product again that was stopped for its pixels or its identity.
 * Decides when it is offered: nothing of it waits for a person. The server decides whether it may.
 * Source: pseudonymisation specification 1.6 (retry after fix).
 */
import { Button, Group, Text } from '@mantine/core';
import { useState } from 'react';
import { gatewayRoutes, type GatewayJob } from '@aifi/contracts-rest';
import { useAct } from '../api/use-answer.js';
import { useWords } from '../frame/language.js';
import { useNotice } from '../frame/notices.js';
import { useSession } from '../frame/session.js';
import { Dialog } from '../parts/dialog.js';
import { ReasonForm } from '../parts/reason-form.js';

const STOPPED: readonly (string | null)[] = ['QUARANTINED_PIXELS', 'QUARANTINED_IDENTIFIER'];
const STATES: readonly string[] = ['QUARANTINED', 'NOT_ANALYSED_NOTIFIED'];

export function RetryJob({ job }: { readonly job: GatewayJob }) {
  const { study } = useWords().gateway;
  const { acts } = useSession();
  const tell = useNotice();
  const [isOpen, setOpen] = useState(false);
  const retry = useAct(gatewayRoutes.retryJob, ({ isTakenUp }) => {
    tell(isTakenUp ? study.retried : study.notRetried);
    setOpen(false);
  });
  const isStopped = STOPPED.includes(job.code) && STATES.includes(job.state);
  if (!isStopped || job.waitingImages !== undefined || !acts.includes('job.retry')) return null;
  return (
    <Group>
      <Button variant="default" size="xs" onClick={() => setOpen(true)}>
        {study.retry}
      </Button>
      <Dialog isOpen={isOpen} title={study.retryTitle} onClose={() => setOpen(false)}>
        <ReasonForm
          action={study.retry}
          isBusy={retry.isBusy}
          problem={retry.problem}
          onCancel={() => setOpen(false)}
          onSubmit={(reason) => retry.go({ params: { jobId: job.jobId }, body: { reason } })}
        >
          <Text>{study.retryText}</Text>
        </ReasonForm>
      </Dialog>
    </Group>
  );
}
