/**
 * AnswerView: an answer when there is one, else that it is coming or why there is none.
 * Decides that an older answer stays on the page while a newer one is fetched or fails.
 */
import type { ReactNode } from 'react';
import type { Answer } from '../api/use-answer.js';
import { Fault } from './fault.js';
import { Waiting } from './waiting.js';

interface AnswerViewProps<T> {
  readonly answer: Answer<T>;
  readonly children: (data: T) => ReactNode;
  /** Shown in place of the fault when a second person must agree first. */
  readonly onApprovalRequired?: ReactNode;
}

export function AnswerView<T>({ answer, children, onApprovalRequired }: AnswerViewProps<T>) {
  const { data, error, refetch, isPlaceholderData } = answer;
  const fault = error && (
    <Fault
      problem={error}
      onRetry={() => void refetch()}
      {...(onApprovalRequired !== undefined && { onApprovalRequired })}
    />
  );
  if (data === undefined) return fault ?? <Waiting />;
  return (
    <>
      {fault}
      <div aria-busy={isPlaceholderData}>{children(data)}</div>
    </>
  );
}
