/**
 * ReasonForm: an act that asks why.
 * Decides that a reason is checked before it is sent, by the contract's own rule, and that what is
 * wrong is said beside the field. Invariant: what was typed stays until the act is done.
 */
import { Button, Group, Stack, Textarea } from '@mantine/core';
import { useState, type FormEvent, type ReactNode } from 'react';
import { reasonSchema } from '@aifi/contracts-rest';
import type { ProblemError } from '../api/problem-error.js';
import { useWords } from '../frame/language.js';
import { Fault } from './fault.js';

interface ReasonFormProps {
  readonly action: string;
  readonly hint?: string;
  readonly isBusy: boolean;
  readonly problem: ProblemError | null;
  readonly color?: string;
  readonly onSubmit: (reason: string) => void;
  readonly onCancel?: () => void;
  /** A second act with the same reason. */
  readonly second?: { readonly action: string; readonly onSubmit: (reason: string) => void };
  readonly children?: ReactNode;
}

export function ReasonForm(props: ReasonFormProps) {
  const { action, hint, isBusy, problem, color, onSubmit, onCancel, second, children } = props;
  const { frame } = useWords();
  const [reason, setReason] = useState('');
  const [isTried, setTried] = useState(false);
  const parsed = reasonSchema.safeParse(reason);
  const wrong = reason.trim().length > 500 ? frame.reasonLong : frame.reasonShort;
  const submit = (go: (reason: string) => void): void => {
    setTried(true);
    if (parsed.success) go(parsed.data);
  };
  return (
    <form
      noValidate
      onSubmit={(event: FormEvent) => {
        event.preventDefault();
        submit(onSubmit);
      }}
    >
      <Stack gap="sm">
        {children}
        <Textarea
          {...{ autosize: false, rows: 3, maxLength: 600, required: true }}
          label={frame.reason}
          description={hint ? `${hint} ${frame.reasonHint}` : frame.reasonHint}
          value={reason}
          error={isTried && !parsed.success ? wrong : undefined}
          onChange={(event) => setReason(event.currentTarget.value)}
        />
        {problem && <Fault problem={problem} />}
        <Group gap="sm">
          <Button type="submit" loading={isBusy} {...(color && { color })}>
            {action}
          </Button>
          {second && (
            <Button variant="default" loading={isBusy} onClick={() => submit(second.onSubmit)}>
              {second.action}
            </Button>
          )}
          {onCancel && (
            <Button variant="subtle" onClick={onCancel}>
              {frame.cancel}
            </Button>
          )}
        </Group>
      </Stack>
    </form>
  );
}
