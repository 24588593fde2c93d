/**
 * ApprovalDialog: one request in full, with what the person may do about it.
 * Decides the ways out: decide as the second person, withdraw one's own, end a grant, or only read.
 * Invariant: the first person's reason is read before anything can be decided.
 */
import { Stack, Text } from '@mantine/core';
import { accessRoutes, type ApprovalView } from '@aifi/contracts-rest';
import { useAct } from '../api/use-answer.js';
import { maySecond } from '../format/approvers.js';
import { approvalTone } from '../format/tones.js';
import { useWords } from '../frame/language.js';
import { useNotice } from '../frame/notices.js';
import { useSession } from '../frame/session.js';
import { CodeValue } from '../parts/code-value.js';
import { Dialog } from '../parts/dialog.js';
import { Facts } from '../parts/facts.js';
import { ReasonForm } from '../parts/reason-form.js';
import { StateLabel } from '../parts/state-label.js';
import { StepUpGate } from '../parts/step-up.js';
import { At } from '../parts/when.js';
import { termOf } from '../words/words.js';
import { EndButton } from './two-person.js';

interface ApprovalDialogProps {
  readonly approval: ApprovalView | undefined;
  readonly onClose: () => void;
  readonly onChanged: () => void;
}

export function ApprovalDialog({ approval, onClose, onChanged }: ApprovalDialogProps) {
  const { access, frame } = useWords();
  const session = useSession();
  const isForMe = approval?.state === 'REQUESTED' && maySecond(session, approval);
  return (
    <Dialog
      isOpen={approval !== undefined}
      onClose={onClose}
      title={isForMe ? access.approvals.decideTitle : frame.details}
    >
      {approval && (
        <Stack>
          <ApprovalFacts approval={approval} />
          {isForMe ? (
            <StepUpGate>
              <Decision {...{ approval, onChanged }} />
            </StepUpGate>
          ) : (
            <Ending {...{ approval, onChanged }} />
          )}
        </Stack>
      )}
    </Dialog>
  );
}

function ApprovalFacts({ approval }: { readonly approval: ApprovalView }) {
  const { access, acts, terms } = useWords();
  const words = access.approvals;
  const { act, siteId, objectId, requestedBy, requestedAtMs, reason, state } = approval;
  const { decidedBy, decidedAtMs, decisionReason, grantedUntilMs } = approval;
  return (
    <Facts
      rows={[
        [words.what, termOf(acts.actNames, act)],
        [words.site, siteId],
        [words.about, <CodeValue key="about" value={objectId} label={words.about} isWhole />],
        [words.askedBy, requestedBy.name],
        [words.askedAt, <At key="at" atMs={requestedAtMs} />],
        [words.reason, <strong key="reason">{reason}</strong>],
        [
          words.state,
          <StateLabel key="state" tone={approvalTone(state)}>
            {termOf(terms.approvalStates, state)}
          </StateLabel>,
        ],
        decidedBy
          ? [
              words.decidedBy,
              <span key="by">
                {decidedBy.name}, <At atMs={decidedAtMs} />: {decisionReason}
              </span>,
            ]
          : undefined,
        grantedUntilMs === null
          ? undefined
          : [words.until, <At key="until" atMs={grantedUntilMs} />],
      ]}
    />
  );
}

interface StepProps {
  readonly approval: ApprovalView;
  readonly onChanged: () => void;
}

function Decision({ approval, onChanged }: StepProps) {
  const words = useWords().access.approvals;
  const tell = useNotice();
  const decide = useAct(accessRoutes.decideApproval, () => {
    tell(words.decided);
    onChanged();
  });
  const go = (decision: 'approve' | 'refuse', reason: string): void =>
    decide.go({ params: { approvalId: approval.id }, body: { decision, reason } });
  return (
    <ReasonForm
      action={words.approve}
      isBusy={decide.isBusy}
      problem={decide.problem}
      onSubmit={(reason) => go('approve', reason)}
      second={{ action: words.refuse, onSubmit: (reason) => go('refuse', reason) }}
    />
  );
}

function Ending({ approval, onChanged }: StepProps) {
  const words = useWords().access.approvals;
  const session = useSession();
  const isOwn = approval.requestedBy.id === session.user.id;
  const mayEnd = isOwn || maySecond(session, approval);
  if (approval.state === 'APPROVED' && mayEnd) {
    return <EndButton request={approval} onChanged={onChanged} label={words.end} />;
  }
  if (approval.state !== 'REQUESTED') return null;
  if (!isOwn) return <Text c="dimmed">{words.notApproverHint}</Text>;
  return (
    <Stack gap="sm">
      <Text c="dimmed">{words.ownHint}</Text>
      <EndButton request={approval} onChanged={onChanged} label={words.withdraw} />
    </Stack>
  );
}
