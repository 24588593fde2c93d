/**
 * RequestProduct: "run this AI on this study", for a product that was not chosen by itself.
 * Decides when it is offered: the newest revision was declined for what a request lifts. The server
 * and select decide whether it runs. Source: features specification 37 (manual send).
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

/** Age of the study, and what the catalogue or the product itself leaves to people. */
const LIFTED: readonly (string | null)[] = ['STUDY_TOO_OLD', 'NO_PRODUCT'];

interface RequestProductProps {
  readonly job: GatewayJob;
  readonly studyInstanceUid: string;
}
export function RequestProduct({ job, studyInstanceUid }: RequestProductProps) {
  const { requests } = useWords();
  const { acts } = useSession();
  const tell = useNotice();
  const [isOpen, setOpen] = useState(false);
  const request = useAct(gatewayRoutes.requestProduct, ({ isNew }) => {
    tell(isNew ? requests.asked : requests.waits);
    setOpen(false);
  });
  if (!LIFTED.includes(job.code) || !acts.includes('product.request')) return null;
  const { product } = job;
  const ask = (reason: string): void =>
    request.go({ params: { studyInstanceUid }, body: { product, reason, from: 'page' } });
  return (
    <Group>
      <Button variant="default" size="xs" onClick={() => setOpen(true)}>
        {requests.ask}
      </Button>
      <Dialog isOpen={isOpen} title={requests.title} onClose={() => setOpen(false)}>
        <ReasonForm
          action={requests.ask}
          isBusy={request.isBusy}
          problem={request.problem}
          onCancel={() => setOpen(false)}
          onSubmit={ask}
        >
          <Text>{requests.text}</Text>
        </ReasonForm>
      </Dialog>
    </Group>
  );
}
