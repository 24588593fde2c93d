/**
 * Fault: what did not work, where it did not work, and what the person can do about it.
 * Decides the way out per code: sign in, confirm anew, ask a second person, or try again.
 * Invariant: the words are ours; the instance id is there to be quoted and searched for.
 */
import { Alert, Anchor, Button, Group, Stack, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { here, signInAddress } from '../api/return-to.js';
import { problemWords, type ProblemError } from '../api/problem-error.js';
import { useWords } from '../frame/language.js';
import { CodeValue } from './code-value.js';
import { Icon } from './icon.js';
import { StepUpPrompt } from './step-up.js';

interface FaultProps {
  readonly problem: ProblemError;
  readonly onRetry?: (() => void) | undefined;
  /** What to offer when a second person must agree. */
  readonly onApprovalRequired?: ReactNode;
}

export function Fault({ problem, onRetry, onApprovalRequired }: FaultProps) {
  const words = useWords();
  const { frame } = words;
  const { code, instance } = problem;
  if (code === 'STEP_UP_REQUIRED') return <StepUpPrompt />;
  if (code === 'APPROVAL_REQUIRED' && onApprovalRequired) return onApprovalRequired;
  return (
    <Alert
      {...{ color: 'red', variant: 'outline', role: 'alert', className: 'aifi-fault' }}
      icon={<Icon name="warn" />}
      title={frame.problemTitle}
    >
      <Stack gap="xs" align="flex-start">
        <Text size="sm">{problemWords(problem, words)}</Text>
        {instance && (
          <Text size="sm" component="div">
            {frame.problemInstance}{' '}
            <CodeValue value={instance.replace('urn:uuid:', '')} label={frame.details} isWhole />
          </Text>
        )}
        <Group gap="sm">
          {code === 'UNAUTHENTICATED' && (
            <Anchor href={signInAddress('signIn', here())}>{frame.signIn}</Anchor>
          )}
          {onRetry && (
            <Button size="xs" variant="default" onClick={onRetry}>
              {frame.retry}
            </Button>
          )}
        </Group>
      </Stack>
    </Alert>
  );
}
