/**
 * Hooks over the client: answers of reads, pages of lists, and acts.
 * Decides which answers are fetched anew by themselves: those without data of patients, when the
 * server says that they changed. Views that are recorded wait for the person (`isAudited`), and are
 * not kept when the page is left. Source: NEN 7513 (each view is an event).
 */
import {
  keepPreviousData,
  useMutation,
  useQuery,
  type UseQueryResult,
} from '@tanstack/react-query';
import { useState } from 'react';
import type { ChangedEvent, RouteContract, RouteOutput } from '@aifi/contracts-rest';
import { useApi } from './api-context.js';
import type { CallInput } from './call.js';
import { ActKey } from './idempotency-key.js';
import type { ProblemError } from './problem-error.js';

export type Topic = ChangedEvent['topic'];
export interface AnswerOptions {
  readonly topics?: readonly Topic[];
  readonly isAudited?: boolean;
  readonly isWanted?: boolean;
  /** Of a list: shows the page before while the next one comes. */
  readonly isPaged?: boolean;
}
export type Answer<T> = UseQueryResult<T, ProblemError>;

/** The answer of a read. */
export function useAnswer<R extends RouteContract>(
  route: R,
  input: CallInput<R>,
  { topics = [], isAudited = false, isWanted = true, isPaged = false }: AnswerOptions = {},
): Answer<RouteOutput<R>> {
  const { call } = useApi();
  return useQuery<RouteOutput<R>, ProblemError>({
    queryKey: [route.path, input],
    queryFn: ({ signal }) => call(route, input, { signal }),
    enabled: isWanted,
    meta: { topics, isAudited },
    ...(isAudited ? { gcTime: 0 } : { staleTime: 5_000 }),
    ...(isPaged && { placeholderData: keepPreviousData as never }),
  });
}

export interface Cursor {
  /** Of the page that is shown; undefined: the first one. */
  readonly cursor: string | undefined;
  readonly pageNumber: number;
  readonly toOlder: (nextCursor: string) => void;
  readonly toNewer: () => void;
}

/** Where in a list the person is; another `question` starts at its first page. */
export function useCursor(question: unknown): Cursor {
  const asked = JSON.stringify(question);
  const [state, setState] = useState<{ asked: string; cursors: readonly string[] }>({
    asked,
    cursors: [],
  });
  const cursors = state.asked === asked ? state.cursors : [];
  return {
    cursor: cursors.at(-1),
    pageNumber: cursors.length + 1,
    toOlder: (next) => setState({ asked, cursors: [...cursors, next] }),
    toNewer: () => setState({ asked, cursors: cursors.slice(0, -1) }),
  };
}

export interface Act<R extends RouteContract> {
  readonly go: (input: CallInput<R>) => void;
  readonly isBusy: boolean;
  readonly problem: ProblemError | null;
  readonly reset: () => void;
}

/** A change: one key from the first press of the button to the server's answer. */
export function useAct<R extends RouteContract>(
  route: R,
  onDone: (answer: RouteOutput<R>, input: CallInput<R>) => void,
): Act<R> {
  const { call } = useApi();
  const [key] = useState(() => new ActKey(() => crypto.randomUUID()));
  const { mutate, isPending, error, reset } = useMutation<
    RouteOutput<R>,
    ProblemError,
    CallInput<R>
  >({
    mutationFn: async (input) => {
      const options = { idempotencyKey: key.keyFor(input) };
      const answer = await call(route, input, options).catch((problem: ProblemError) => {
        // Without an answer nobody knows whether it was done: the next try is the same act.
        if (problem.status !== null && problem.status < 500) key.settled();
        throw problem;
      });
      key.settled();
      return answer;
    },
    onSuccess: onDone,
  });
  return { go: mutate, isBusy: isPending, problem: error, reset };
}
