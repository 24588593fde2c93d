/**
 * FilterBar: what a list is asked for; nothing is asked before the person says so.
 * Decides that filters apply together, by a button, because each view of a list is recorded.
 */
import { Button, Group } from '@mantine/core';
import type { FormEvent, ReactNode } from 'react';
import { useWords } from '../frame/language.js';

interface FilterBarProps {
  readonly onApply: () => void;
  readonly onClear: () => void;
  readonly children: ReactNode;
}
export function FilterBar({ onApply, onClear, children }: FilterBarProps) {
  const { frame } = useWords();
  return (
    <form
      {...{ className: 'aifi-filters', role: 'search', noValidate: true }}
      aria-label={frame.filters}
      onSubmit={(event: FormEvent) => {
        event.preventDefault();
        onApply();
      }}
    >
      {children}
      <Group gap="xs">
        <Button type="submit">{frame.apply}</Button>
        <Button variant="default" onClick={onClear}>
          {frame.clear}
        </Button>
      </Group>
    </form>
  );
}
