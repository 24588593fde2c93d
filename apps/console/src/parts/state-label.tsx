/**
 * StateLabel: a state in words, with a sign and a colour that say how good it is.
 * Invariant: the word comes from the dictionary; the colour never says more than sign and word.
 * Source: WCAG 2.2, 1.4.1 (use of colour).
 */
import type { ReactNode } from 'react';
import type { Tone } from '../format/hops.js';
import { Icon, type IconName } from './icon.js';

export const TONE_ICONS: Readonly<Record<Tone, IconName>> = {
  ok: 'check',
  busy: 'busy',
  warn: 'warn',
  bad: 'cross',
  quiet: 'dot',
};

interface StateLabelProps {
  readonly tone: Tone;
  readonly children: ReactNode;
}
export function StateLabel({ tone, children }: StateLabelProps) {
  return (
    <span className="aifi-state" data-tone={tone}>
      <Icon name={TONE_ICONS[tone]} size={13} />
      <span>{children}</span>
    </span>
  );
}
