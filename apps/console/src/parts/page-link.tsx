/** PageLink: a link within the page, with the look of the other links. Decides nothing. */
import { Anchor } from '@mantine/core';
import type { ReactNode } from 'react';
import { Link } from 'wouter';

interface PageLinkProps {
  readonly to: string;
  readonly children: ReactNode;
  /** For screen readers, where the words alone do not say where it leads. */
  readonly label?: string;
}
export function PageLink({ to, children, label }: PageLinkProps) {
  return (
    <Anchor component={Link} href={to} inherit {...(label && { 'aria-label': label })}>
      {children}
    </Anchor>
  );
}
