/**
 * Step-up: fresh authentication before a dangerous act.
 * Decides that it is asked before anything is typed, so that no reason is lost on the way; a form
 * that is open stays open. Invariant: the server decides whether it is fresh enough.
 * Source: RFC 9470; security specification 5.
 */
import { Alert, Button, Stack, Text } from '@mantine/core';
import { useState, type ReactNode } from 'react';
import { here, signInAddress } from '../api/return-to.js';
import { useLanguage, useWords } from '../frame/language.js';
import { useSession } from '../frame/session.js';
import { Icon } from './icon.js';

/** Enough to read what is asked and to write a reason. @unit ms */
const LEFT_MS_MIN = 30_000;

export function StepUpPrompt() {
  const { frame } = useWords();
  return (
    <Alert
      {...{ color: 'sea', variant: 'outline', className: 'aifi-step-up' }}
      icon={<Icon name="lock" />}
      title={frame.stepUpTitle}
    >
      <Stack gap="sm" align="flex-start">
        <Text size="sm">{frame.stepUpText}</Text>
        <Button component="a" href={signInAddress('stepUp', here())}>
          {frame.stepUpGo}
        </Button>
      </Stack>
    </Alert>
  );
}

/** Shows its content to who has authenticated lately, and the way to do so to everybody else. */
export function StepUpGate({ children }: { readonly children: ReactNode }) {
  const { steppedUpUntilMs } = useSession();
  const { formats, words } = useLanguage();
  const [isFresh] = useState(() => (steppedUpUntilMs ?? 0) - Date.now() > LEFT_MS_MIN);
  if (!isFresh) return <StepUpPrompt />;
  return (
    <Stack gap="sm">
      {steppedUpUntilMs !== null && (
        <Text size="sm" c="dimmed">
          {words.frame.steppedUp(formats.clock(steppedUpUntilMs))}
        </Text>
      )}
      {children}
    </Stack>
  );
}
