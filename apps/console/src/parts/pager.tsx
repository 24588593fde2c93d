/**
 * Pager: newer and older pages of a list by cursor.
 * Decides nothing about the list. Invariant: going to a page is an act of the person.
 */
import { Button, Group, Text } from '@mantine/core';
import type { Cursor } from '../api/use-answer.js';
import { useWords } from '../frame/language.js';

interface PagerProps {
  readonly cursor: Cursor;
  readonly nextCursor: string | null;
}
export function Pager({ cursor: { pageNumber, toOlder, toNewer }, nextCursor }: PagerProps) {
  const { frame } = useWords();
  if (pageNumber === 1 && nextCursor === null) return null;
  return (
    <Group component="nav" aria-label={frame.pages} gap="sm" mt="sm">
      <Button {...{ variant: 'default', size: 'xs', disabled: pageNumber === 1, onClick: toNewer }}>
        {frame.newer}
      </Button>
      <Text size="sm" aria-live="polite">
        {frame.pageNumber(pageNumber)}
      </Text>
      <Button
        {...{ variant: 'default', size: 'xs', disabled: nextCursor === null }}
        onClick={() => nextCursor !== null && toOlder(nextCursor)}
      >
        {frame.older}
      </Button>
    </Group>
  );
}
