/** Waiting: that something is being fetched, said to eyes and screen readers. Decides nothing. */
import { Group, Loader, Text } from '@mantine/core';
import { useWords } from '../frame/language.js';

export function Waiting() {
  const { frame } = useWords();
  return (
    <Group role="status" gap="sm" p="md">
      <Loader size="sm" aria-hidden="true" />
      <Text>{frame.loading}</Text>
    </Group>
  );
}
