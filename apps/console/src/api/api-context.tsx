/**
 * The client and the cache of answers, for the whole page.
 * Decides that nothing is fetched again unasked (a view of data is recorded) and that a session
 * that has ended empties the cache. Invariant: answers are in memory only.
 */
import { MutationCache, QueryCache, QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { createContext, useContext, useState, type ReactNode } from 'react';
import { createCall, type Call } from './call.js';
import { ProblemError } from './problem-error.js';

export const SESSION_KEY = ['session'] as const;

interface Api {
  readonly call: Call;
  readonly setCsrfToken: (token: string | undefined) => void;
}
const ApiContext = createContext<Api | undefined>(undefined);

function createApi(): Api {
  let csrfToken: string | undefined;
  const call = createCall({
    fetch: (address, init) => window.fetch(address, init),
    csrfToken: () => csrfToken,
    newKey: () => crypto.randomUUID(),
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  });
  return { call, setCsrfToken: (token) => void (csrfToken = token) };
}

/** Forgets every answer; the session itself becomes "nobody". */
export function forgetSession(client: QueryClient): void {
  client.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== SESSION_KEY[0] });
  client.setQueryData(SESSION_KEY, null);
}

function createClient(): QueryClient {
  const onError = (error: unknown): void => {
    const isOver = error instanceof ProblemError && error.code === 'UNAUTHENTICATED';
    if (isOver) forgetSession(client);
  };
  const client: QueryClient = new QueryClient({
    queryCache: new QueryCache({ onError }),
    mutationCache: new MutationCache({ onError }),
    defaultOptions: {
      queries: {
        // The client repeats what may be repeated.
        retry: false,
        networkMode: 'always',
        staleTime: Infinity,
        refetchOnWindowFocus: false,
        refetchOnReconnect: false,
      },
      mutations: { retry: false, networkMode: 'always' },
    },
  });
  return client;
}

export function ApiProvider({ children }: { readonly children: ReactNode }) {
  const [api] = useState(createApi);
  const [client] = useState(createClient);
  return (
    <ApiContext value={api}>
      <QueryClientProvider client={client}>{children}</QueryClientProvider>
    </ApiContext>
  );
}

export function useApi(): Api {
  const api = useContext(ApiContext);
  if (!api) throw new Error('outside of the client');
  return api;
}
