/**
 * CodeValue: a digest, UID or number that is too long to read, short, with a button for the whole.
 * Decides that the short form is for comparing by eye and the whole one for copying.
 */
import { ActionIcon, CopyButton } from '@mantine/core';
import { useWords } from '../frame/language.js';
import { shortDigest, shortUid } from '../format/times.js';
import { Icon } from './icon.js';

interface CodeValueProps {
  readonly value: string;
  /** What it is, for the button. */
  readonly label: string;
  readonly isWhole?: boolean;
}

const shortOf = (value: string): string =>
  /^[\d.]+$/.test(value) ? shortUid(value) : shortDigest(value);

export function CodeValue({ value, label, isWhole = false }: CodeValueProps) {
  const { frame } = useWords();
  return (
    <span className={isWhole ? 'aifi-code aifi-code-whole' : 'aifi-code'}>
      <span title={value}>{isWhole ? value : shortOf(value)}</span>
      <CopyButton value={value}>
        {({ copied, copy }) => (
          <ActionIcon
            {...{ variant: 'subtle', color: 'gray', size: 24 }}
            aria-label={copied ? frame.copied : frame.copyOf(label)}
            title={copied ? frame.copied : frame.copy}
            onClick={copy}
          >
            <Icon name={copied ? 'check' : 'copy'} size={14} />
          </ActionIcon>
        )}
      </CopyButton>
    </span>
  );
}
