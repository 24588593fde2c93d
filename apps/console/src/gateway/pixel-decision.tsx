/**
 * PixelDecision: released or rejected, with what was seen as the reason.
 * Decides that a release is offered once every frame to see was shown in every view; a rejection at
 * any time. Invariant: the decision names the digest of the file that was opened; what came of it
 * is told.
 */
import { Text } from '@mantine/core';
import { gatewayRoutes } from '@aifi/contracts-rest';
import type { PixelDecisionView, PixelHoldView, PixelOpening } from '@aifi/contracts-rest';
import { useLocation } from 'wouter';
import { useAct } from '../api/use-answer.js';
import type { Look } from '../format/frames-to-see.js';
import { useWords } from '../frame/language.js';
import { useNotice } from '../frame/notices.js';
import { Card } from '../parts/card.js';
import { ReasonForm } from '../parts/reason-form.js';

interface PixelDecisionProps {
  readonly hold: PixelHoldView;
  readonly opening: PixelOpening;
  /** What has to be seen before a release, and was not. */
  readonly left: readonly Look[];
}

export function PixelDecision({ hold, opening, left }: PixelDecisionProps) {
  const { pixelHolds } = useWords().gateway;
  const tell = useNotice();
  const [, navigate] = useLocation();
  const done = (decision: PixelDecisionView): void => {
    tell(wordsOf(decision, pixelHolds));
    navigate('/pixel-holds');
  };
  const release = useAct(gatewayRoutes.releasePixelHold, done);
  const reject = useAct(gatewayRoutes.rejectPixelHold, done);
  const input = (reason: string) => ({
    params: { holdId: hold.id },
    body: { sha256: opening.sha256, reason },
  });
  const onReject = (reason: string): void => reject.go(input(reason));
  const common = {
    ...{ hint: pixelHolds.decideHint, isBusy: release.isBusy || reject.isBusy },
    problem: release.problem ?? reject.problem,
  };
  return (
    <Card title={pixelHolds.decide}>
      {left.length > 0 ? (
        <ReasonForm {...common} action={pixelHolds.reject} color="red.9" onSubmit={onReject}>
          <Text>{pixelHolds.decideText}</Text>
          <Text fw={600}>{pixelHolds.toSee(left.length)}</Text>
        </ReasonForm>
      ) : (
        <ReasonForm
          {...common}
          action={pixelHolds.release}
          onSubmit={(reason) => release.go(input(reason))}
          second={{ action: pixelHolds.reject, onSubmit: onReject }}
        >
          <Text>{pixelHolds.decideText}</Text>
        </ReasonForm>
      )}
    </Card>
  );
}

type DecisionWords = ReturnType<typeof useWords>['gateway']['pixelHolds'];
function wordsOf(decision: PixelDecisionView, words: DecisionWords): string {
  const { isDecided, state, waiting, isTakenUp } = decision;
  if (!isDecided) return words.decidedBefore;
  if (state === 'REJECTED') return words.rejected;
  return isTakenUp || waiting > 0 ? words.released(waiting) : words.releasedOnly;
}
