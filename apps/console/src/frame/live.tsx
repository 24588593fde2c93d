/**
 * Live: the server says which lists have changed.
 * Decides what follows: answers without data of patients are fetched anew; for the others the page
 * only says that there is something new, because each view of them is recorded.
 * Invariant: an event is a topic, never data. Source: HTML Living Standard 9.2 (event streams).
 */
import { useQueryClient, type Query } from '@tanstack/react-query';
import {
  createContext,
  useCallback,
  useContext,
  useEffect,
  useMemo,
  useState,
  type ReactNode,
} from 'react';
import { accessRoutes, changedEventSchema } from '@aifi/contracts-rest';
import { SESSION_KEY } from '../api/api-context.js';
import type { Topic } from '../api/use-answer.js';

/** Changes come in bursts; a page that is renewed more often cannot be read. @unit ms */
const GATHER_MS = 1_500;
/** A server that restarts is back by then. @unit ms */
const REOPEN_AFTER_MS = 20_000;

interface Live {
  readonly isLive: boolean;
  /** Topics with news since they were last fetched by a person. */
  readonly news: ReadonlySet<Topic>;
  readonly seen: (topics: readonly Topic[]) => void;
}
const LiveContext = createContext<Live>({ isLive: false, news: new Set(), seen: () => {} });
export const useLive = (): Live => useContext(LiveContext);

const concerns = ({ meta }: Query, topics: ReadonlySet<Topic>): boolean =>
  meta?.['isAudited'] !== true &&
  ((meta?.['topics'] as readonly Topic[] | undefined) ?? []).some((topic) => topics.has(topic));

export function LiveProvider({ children }: { readonly children: ReactNode }) {
  const client = useQueryClient();
  const [isLive, setLive] = useState(false);
  const [news, setNews] = useState<ReadonlySet<Topic>>(new Set());
  const onChanged = useCallback(
    (topics: ReadonlySet<Topic>) => {
      void client.invalidateQueries({ predicate: (query) => concerns(query, topics) });
      setNews((before) => new Set([...before, ...topics]));
    },
    [client],
  );
  const onEnded = useCallback(() => {
    void client.invalidateQueries({ queryKey: SESSION_KEY });
  }, [client]);
  useEffect(() => listen({ onChanged, onLive: setLive, onEnded }), [onChanged, onEnded]);
  const live = useMemo<Live>(() => {
    const seen = (topics: readonly Topic[]): void =>
      setNews((before) => new Set([...before].filter((topic) => !topics.includes(topic))));
    return { isLive, news, seen };
  }, [isLive, news]);
  return <LiveContext value={live}>{children}</LiveContext>;
}

interface Listener {
  readonly onChanged: (topics: ReadonlySet<Topic>) => void;
  readonly onLive: (isLive: boolean) => void;
  /** The server refuses the stream: the session may have ended. */
  readonly onEnded: () => void;
}

/** Listens until the returned function is called. */
function listen({ onChanged, onLive, onEnded }: Listener): () => void {
  const gathered = new Set<Topic>();
  let source: EventSource | undefined;
  let reopen: ReturnType<typeof setTimeout> | undefined;
  let ring: ReturnType<typeof setTimeout> | undefined;
  const flush = (): void => {
    ring = undefined;
    onChanged(new Set(gathered));
    gathered.clear();
  };
  const open = (): void => {
    const stream = new EventSource(accessRoutes.events.path);
    source = stream;
    stream.onopen = () => onLive(true);
    stream.addEventListener('changed', ({ data }: MessageEvent<string>) => {
      const topic = topicOf(data);
      if (topic) gathered.add(topic);
      if (topic && ring === undefined) ring = setTimeout(flush, GATHER_MS);
    });
    stream.onerror = () => {
      onLive(false);
      if (stream.readyState !== EventSource.CLOSED) return;
      onEnded();
      reopen = setTimeout(open, REOPEN_AFTER_MS);
    };
  };
  open();
  return () => {
    clearTimeout(reopen);
    clearTimeout(ring);
    source?.close();
  };
}

function topicOf(data: string): Topic | undefined {
  try {
    const parsed = changedEventSchema.safeParse(JSON.parse(data));
    return parsed.success ? parsed.data.topic : undefined;
  } catch {
    return undefined;
  }
}
