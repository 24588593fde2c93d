/**
 * One image that waits: opened, looked at, decided on.
 * Decides that fresh authentication is asked before the look, for who may release, so that nothing
 * is lost on the way; and that the release comes after every frame to see was shown in each view.
 * Invariant: the pictures are made by the server, of exactly the bytes that the decision names.
 * Source: pseudonymisation specification 1.5; security specification 5 and 7.
 */
import { Button, Stack, Text } from '@mantine/core';
import { useState } from 'react';
import { gatewayRoutes, type PixelHoldView, type PixelOpening } from '@aifi/contracts-rest';
import { useAct, useAnswer } from '../api/use-answer.js';
import { framesToSee, keyOfLook, looksLeft, type Look as Seen } from '../format/frames-to-see.js';
import { useWords } from '../frame/language.js';
import { Page } from '../frame/page.js';
import { useSession } from '../frame/session.js';
import { AnswerView } from '../parts/answer-view.js';
import { Card } from '../parts/card.js';
import { CodeValue } from '../parts/code-value.js';
import { Facts } from '../parts/facts.js';
import { Fault } from '../parts/fault.js';
import { PageLink } from '../parts/page-link.js';
import { ReasonForm } from '../parts/reason-form.js';
import { StepUpGate } from '../parts/step-up.js';
import { At } from '../parts/when.js';
import { termOf } from '../words/words.js';
import { HeldPicture } from './held-picture.js';
import { PixelDecision } from './pixel-decision.js';

export function PixelHoldPage({ holdId }: { readonly holdId: string }) {
  const { pixelHolds } = useWords().gateway;
  const query = { holdId, limit: 1 };
  const answer = useAnswer(gatewayRoutes.pixelHolds, { query }, { isAudited: true });
  return (
    <Page title={pixelHolds.lookTitle} lead={pixelHolds.lookLead}>
      <AnswerView answer={answer}>
        {({ items: [hold] }) => (hold ? <Hold hold={hold} /> : <Text>{pixelHolds.gone}</Text>)}
      </AnswerView>
      <PageLink to="/pixel-holds">{pixelHolds.back}</PageLink>
    </Page>
  );
}

function Hold({ hold }: { readonly hold: PixelHoldView }) {
  const { gateway, terms } = useWords();
  const { pixelHolds } = gateway;
  const { acts } = useSession();
  const look = <Look hold={hold} />;
  return (
    <div className="aifi-stack">
      <Facts
        rows={[
          [pixelHolds.product, `${hold.product}, ${termOf(terms.lanes, hold.lane)}`],
          [pixelHolds.reason, hold.reason],
          [pixelHolds.since, <At key="since" atMs={hold.heldAtMs} />],
          [
            pixelHolds.deadline,
            <span key="deadline">
              <At atMs={hold.deadlineAtMs} />
              {hold.isLate && `, ${pixelHolds.late}`}
            </span>,
          ],
          [
            pixelHolds.digest,
            <CodeValue key="digest" value={hold.sha256} label={pixelHolds.digest} />,
          ],
        ]}
      />
      {acts.includes('pixel-hold.release') ? <StepUpGate>{look}</StepUpGate> : look}
    </div>
  );
}

function Look({ hold }: { readonly hold: PixelHoldView }) {
  const { acts } = useSession();
  const [opening, setOpening] = useState<PixelOpening>();
  const [seen, setSeen] = useState<ReadonlySet<string>>(new Set());
  if (!opening) return <Open hold={hold} onOpened={setOpening} />;
  const onSeen = (look: Seen): void => setSeen((before) => new Set([...before, keyOfLook(look)]));
  const left = looksLeft(framesToSee(hold.findings, opening.frames), seen);
  return (
    <>
      <HeldPicture {...{ hold, opening, left, onSeen }} />
      {acts.includes('pixel-hold.reject') && <PixelDecision {...{ hold, opening, left }} />}
    </>
  );
}

interface OpenProps {
  readonly hold: PixelHoldView;
  readonly onOpened: (opening: PixelOpening) => void;
}
function Open({ hold, onOpened }: OpenProps) {
  const { pixelHolds } = useWords().gateway;
  const open = useAct(gatewayRoutes.openPixelHold, onOpened);
  const go = (reason: string | null): void =>
    open.go({ params: { holdId: hold.id }, body: { reason } });
  if (hold.asksReason) {
    return (
      <Card title={pixelHolds.lookTitle}>
        <ReasonForm
          action={pixelHolds.open}
          hint={pixelHolds.openHint}
          isBusy={open.isBusy}
          problem={open.problem}
          onSubmit={go}
        >
          <Text>{pixelHolds.openText}</Text>
        </ReasonForm>
      </Card>
    );
  }
  return (
    <Card title={pixelHolds.lookTitle}>
      <Stack gap="sm" align="flex-start">
        <Text>{pixelHolds.openText}</Text>
        {open.problem && <Fault problem={open.problem} />}
        <Button loading={open.isBusy} onClick={() => go(null)}>
          {pixelHolds.open}
        </Button>
      </Stack>
    </Card>
  );
}
