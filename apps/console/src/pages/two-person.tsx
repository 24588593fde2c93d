/**
 * TwoPerson: an act that a second person must allow: ask, wait, use, end.
 * Decides what the person who asks sees at each step; what the grant opens is the caller's.
 * Invariant: the state is that of the server; time that passes on the page only ever closes.
 * Source: libs/access/approvals (state machine); security specification 5.
 */
import { Button, Group, Stack, Text } from '@mantine/core';
import { useState, type ReactNode } from 'react';
import { accessRoutes, type ApprovalView } from '@aifi/contracts-rest';
import { useAct, useAnswer } from '../api/use-answer.js';
import { latestRequest, stateNow } from '../format/approvers.js';
import { useLanguage, useWords } from '../frame/language.js';
import { useNotice } from '../frame/notices.js';
import { useNow } from '../frame/now.js';
import { useSession } from '../frame/session.js';
import { AnswerView } from '../parts/answer-view.js';
import { ReasonForm } from '../parts/reason-form.js';
import { StateLabel } from '../parts/state-label.js';
import { StepUpGate } from '../parts/step-up.js';
import { TimeLeft } from '../parts/when.js';

export interface TwoPersonSubject {
  readonly act: string;
  readonly siteId: string;
  readonly objectId: string;
}
interface TwoPersonProps {
  readonly subject: TwoPersonSubject;
  readonly askLabel: string;
  readonly askHint: string;
  /** What the grant opens; `ask` is for when the server says that the grant has ended. */
  readonly children: (ask: ReactNode) => ReactNode;
}

/** As many requests as a page of the interface holds: a person's own are among the newest. */
const LIMIT = 200;

export function TwoPerson(props: TwoPersonProps) {
  const approvals = useAnswer(
    accessRoutes.listApprovals,
    { query: { limit: LIMIT } },
    { topics: ['approvals'] },
  );
  const refetch = (): void => void approvals.refetch();
  return (
    <AnswerView answer={approvals}>
      {({ items }) => <Steps {...props} items={items} onChanged={refetch} />}
    </AnswerView>
  );
}

interface StepsProps extends TwoPersonProps {
  readonly items: readonly ApprovalView[];
  readonly onChanged: () => void;
}
function Steps({ subject, items, onChanged, children, ...texts }: StepsProps) {
  const { hub } = useWords();
  const { user } = useSession();
  const nowMs = useNow(1_000);
  const request = latestRequest(items, { ...subject, userId: user.id });
  const state = request && stateNow(request, nowMs);
  const ask = <Ask {...{ subject, onChanged, ...texts }} />;
  if (request && state === 'REQUESTED') return <Pending {...{ request, onChanged }} />;
  if (request && state === 'APPROVED') {
    return <Granted {...{ request, onChanged }}>{children(ask)}</Granted>;
  }
  return (
    <Stack gap="sm">
      {request && state === 'REFUSED' && (
        <Text>
          {hub.breakGlass.refused(request.decidedBy?.name ?? '')} {request.decisionReason}
        </Text>
      )}
      {request && state === 'ENDED' && <Text>{hub.breakGlass.over}</Text>}
      {ask}
    </Stack>
  );
}

interface AskProps extends Omit<TwoPersonProps, 'children'> {
  readonly onChanged: () => void;
}
function Ask({ subject, askLabel, askHint, onChanged }: AskProps) {
  const { access } = useWords();
  const tell = useNotice();
  const [isOpen, setOpen] = useState(false);
  const ask = useAct(accessRoutes.requestApproval, () => {
    setOpen(false);
    tell(access.approvals.requested);
    onChanged();
  });
  if (!isOpen) {
    return (
      <Group>
        <Button onClick={() => setOpen(true)}>{askLabel}</Button>
      </Group>
    );
  }
  return (
    <StepUpGate>
      <ReasonForm
        action={askLabel}
        hint={askHint}
        isBusy={ask.isBusy}
        problem={ask.problem}
        onCancel={() => setOpen(false)}
        onSubmit={(reason) => ask.go({ body: { ...subject, reason } })}
      />
    </StepUpGate>
  );
}

interface RequestProps {
  readonly request: ApprovalView;
  readonly onChanged: () => void;
}

function Pending({ request, onChanged }: RequestProps) {
  const { words, formats } = useLanguage();
  const nowMs = useNow(15_000);
  const { breakGlass } = words.hub;
  return (
    <Stack gap="sm" align="flex-start" role="status">
      <StateLabel tone="busy">{breakGlass.pending}</StateLabel>
      <Text>{breakGlass.pendingText(formats.relative(request.expiresAtMs, nowMs))}</Text>
      <Text c="dimmed">
        {words.frame.reason}: {request.reason}
      </Text>
      <EndButton {...{ request, onChanged, label: breakGlass.withdraw }} />
    </Stack>
  );
}

function Granted({ request, onChanged, children }: RequestProps & { children: ReactNode }) {
  const { breakGlass } = useWords().hub;
  return (
    <Stack gap="md">
      <Group gap="lg">
        <StateLabel tone="ok">{breakGlass.granted}</StateLabel>
        <Text>{breakGlass.grantedText(request.decidedBy?.name ?? '')}</Text>
        <Group gap="xs">
          <Text>{breakGlass.remaining}:</Text>
          <TimeLeft untilMs={request.grantedUntilMs ?? 0} />
        </Group>
      </Group>
      {children}
      <EndButton {...{ request, onChanged, label: breakGlass.end }} />
    </Stack>
  );
}

interface EndButtonProps extends RequestProps {
  readonly label: string;
}
/** Withdraws a request, or ends a grant, with a reason. */
export function EndButton({ request, onChanged, label }: EndButtonProps) {
  const { access } = useWords();
  const tell = useNotice();
  const [isOpen, setOpen] = useState(false);
  const end = useAct(accessRoutes.endApproval, () => {
    setOpen(false);
    tell(access.approvals.ended);
    onChanged();
  });
  if (!isOpen) {
    return (
      <Group>
        <Button variant="default" onClick={() => setOpen(true)}>
          {label}
        </Button>
      </Group>
    );
  }
  return (
    <ReasonForm
      action={label}
      isBusy={end.isBusy}
      problem={end.problem}
      onCancel={() => setOpen(false)}
      onSubmit={(reason) => end.go({ params: { approvalId: request.id }, body: { reason } })}
    />
  );
}
