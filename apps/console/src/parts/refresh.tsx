/**
 * Refresh: fetches a recorded list again, when the person wants it.
 * Decides that news is told quietly and never fetched by itself. Source: NEN 7513.
 */
import { Button } from '@mantine/core';
import type { Topic } from '../api/use-answer.js';
import { useLive } from '../frame/live.js';
import { useWords } from '../frame/language.js';
import { Icon } from './icon.js';

interface RefreshProps {
  readonly topics: readonly Topic[];
  /** Where a page knows better than its topics whether there is news. */
  readonly hasNews?: boolean;
  readonly isBusy: boolean;
  readonly onRefresh: () => void;
}
export function Refresh({ topics, hasNews, isBusy, onRefresh }: RefreshProps) {
  const { frame } = useWords();
  const { news, seen } = useLive();
  const isNew = hasNews ?? topics.some((topic) => news.has(topic));
  return (
    <span role="status">
      <Button
        {...{ variant: isNew ? 'light' : 'default', size: 'xs', loading: isBusy }}
        leftSection={<Icon name="refresh" size={14} />}
        title={frame.loggedHint}
        onClick={() => {
          seen(topics);
          onRefresh();
        }}
      >
        {isNew ? frame.newData : frame.refresh}
      </Button>
    </span>
  );
}
