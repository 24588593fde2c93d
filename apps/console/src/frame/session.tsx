/**
 * The session: who is signed in here, and what to do when nobody is (any more).
 * Decides that a page that nobody touches for as long as a session may idle shows nothing, even
 * while it would be kept alive by its own requests. Invariant: what a role may is the server's to
 * say; `acts` only chooses what is offered. Source: security specification 5 (idle 15 min).
 */
import { Button, Group, Stack, Text, Title } from '@mantine/core';
import { useIdle } from '@mantine/hooks';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { createContext, useContext, useEffect, type ReactNode } from 'react';
import { accessRoutes, type SessionView } from '@aifi/contracts-rest';
import { forgetSession, SESSION_KEY, useApi } from '../api/api-context.js';
import { ProblemError } from '../api/problem-error.js';
import { here, signInAddress } from '../api/return-to.js';
import { Fault } from '../parts/fault.js';
import { Waiting } from '../parts/waiting.js';
import { LanguageSwitch, SchemeSwitch } from './controls.js';
import { useWords } from './language.js';
import { Mark } from './mark.js';

/** As long as the server lets a session idle. @unit ms */
const IDLE_MS_MAX = 15 * 60_000;
const SessionContext = createContext<SessionView | undefined>(undefined);

export function useSession(): SessionView {
  const session = useContext(SessionContext);
  if (!session) throw new Error('outside of the session');
  return session;
}

interface SessionProviderProps {
  /** Whose page it is, as long as no session says so. */
  readonly server: SessionView['server'];
  readonly children: ReactNode;
}
export function SessionProvider({ server, children }: SessionProviderProps) {
  const { call, setCsrfToken } = useApi();
  const client = useQueryClient();
  const isIdle = useIdle(IDLE_MS_MAX, { initialState: false });
  const { data, error, refetch } = useQuery<SessionView | null, ProblemError>({
    queryKey: SESSION_KEY,
    queryFn: async ({ signal }) => {
      try {
        const session = await call(accessRoutes.session, {}, { signal });
        setCsrfToken(session.csrfToken);
        return session;
      } catch (problem) {
        if (problem instanceof ProblemError && problem.code === 'UNAUTHENTICATED') return null;
        throw problem;
      }
    },
    gcTime: Infinity,
  });
  useEffect(() => {
    if (isIdle) forgetSession(client);
  }, [isIdle, client]);
  if (data) return <SessionContext value={data}>{children}</SessionContext>;
  return (
    <main className="aifi-centre" id="content">
      {data === null ? (
        <SignedOut server={server} />
      ) : error ? (
        <Fault problem={error} onRetry={() => void refetch()} />
      ) : (
        <Waiting />
      )}
    </main>
  );
}

function SignedOut({ server }: Pick<SessionView, 'server'>) {
  const { frame } = useWords();
  // The server sends people here who cancelled, or came back too late.
  const hasFailed = new URLSearchParams(location.search).get('signIn') === 'failed';
  useEffect(() => {
    document.title = `${frame.signIn} – ${frame.servers[server]}`;
  }, [frame, server]);
  return (
    <Stack className="aifi-card" maw={460} gap="md" p="xl">
      <Group justify="space-between">
        <span className="aifi-brand">
          <Mark /> {frame.servers[server]}
        </span>
        <LanguageSwitch />
      </Group>
      <Title order={1} size="h2">
        {frame.signedOutTitle}
      </Title>
      <Text>{hasFailed ? frame.signInFailed : frame.signedOutText}</Text>
      <Group justify="space-between">
        <Button component="a" href={signInAddress('signIn', hasFailed ? '/' : here())}>
          {frame.signIn}
        </Button>
        <SchemeSwitch />
      </Group>
    </Stack>
  );
}
