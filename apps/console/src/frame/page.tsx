/**
 * Page: title, heading and content of one page.
 * Decides that a new page names itself in the window's title and takes the focus to its heading, so
 * that a screen reader says where one is. Source: WCAG 2.2, 2.4.2 and 2.4.3.
 */
import { Stack, Title } from '@mantine/core';
import { useEffect, useRef, type ReactNode } from 'react';
import { useLocation } from 'wouter';
import { useWords } from './language.js';
import { useSession } from './session.js';

interface PageProps {
  readonly title: string;
  readonly lead?: string;
  readonly actions?: ReactNode;
  readonly children: ReactNode;
}

/** The first page of a visit leaves the focus where the browser has it. */
let lastLocation: string | undefined;

export function Page({ title, lead, actions, children }: PageProps) {
  const { frame } = useWords();
  const { server } = useSession();
  const heading = useRef<HTMLHeadingElement>(null);
  const [location] = useLocation();
  useEffect(() => {
    document.title = `${title} – ${frame.servers[server]}`;
  }, [title, frame, server]);
  useEffect(() => {
    if (lastLocation !== undefined && lastLocation !== location) {
      heading.current?.focus({ preventScroll: true });
      window.scrollTo({ top: 0 });
    }
    lastLocation = location;
  }, [location]);
  return (
    <>
      <div className="aifi-page-head">
        <div>
          <Title order={1} size="h2" ref={heading} tabIndex={-1}>
            {title}
          </Title>
          {lead && <p className="aifi-lead">{lead}</p>}
        </div>
        {actions}
      </div>
      <Stack gap="lg">{children}</Stack>
    </>
  );
}
