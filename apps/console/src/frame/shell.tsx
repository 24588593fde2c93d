/**
 * Shell: header, navigation and main part of every page.
 * Decides the landmarks, the skip link, and that the navigation offers what the session's roles
 * may do somewhere. Invariant: a demonstration says so loudly on every page.
 */
import { AppShell, Burger, Group, NavLink, Stack } from '@mantine/core';
import { useDisclosure, useMediaQuery } from '@mantine/hooks';
import type { ReactNode } from 'react';
import { Link, useLocation } from 'wouter';
import { StateLabel } from '../parts/state-label.js';
import { termOf } from '../words/words.js';
import { LanguageSwitch, SchemeSwitch } from './controls.js';
import { useWords } from './language.js';
import { useLive } from './live.js';
import { Mark } from './mark.js';
import { useSession } from './session.js';
import { UserMenu } from './user-menu.js';

export interface NavItem {
  readonly to: string;
  readonly label: string;
  /** Act that leads to the page. */
  readonly act: string;
  /** Other addresses that belong to it. */
  readonly also?: RegExp;
  /** What waits there for a person, and the same in words. */
  readonly badge?: { readonly count: number; readonly label: string };
}
interface ShellProps {
  readonly items: readonly NavItem[];
  readonly children: ReactNode;
}

/** Room for language and appearance in the header; otherwise they are in the navigation. */
const useIsWide = (): boolean =>
  useMediaQuery('(min-width: 48em)', true, { getInitialValueInEffect: false });

export function Shell({ items, children }: ShellProps) {
  const { frame } = useWords();
  const [isOpen, { toggle, close }] = useDisclosure(false);
  return (
    <>
      <a className="aifi-skip" href="#content">
        {frame.skip}
      </a>
      <AppShell
        header={{ height: 60 }}
        navbar={{ width: 232, breakpoint: 'sm', collapsed: { mobile: !isOpen } }}
        padding={{ base: 'sm', sm: 'lg' }}
        offsetScrollbars={false}
      >
        <AppShell.Header>
          <Header isOpen={isOpen} onToggle={toggle} />
        </AppShell.Header>
        <AppShell.Navbar p="sm" aria-label={frame.navigation} id="navigation">
          <Navigation items={items} onGo={close} />
        </AppShell.Navbar>
        <AppShell.Main id="content" tabIndex={-1}>
          <div className="aifi-main">{children}</div>
        </AppShell.Main>
      </AppShell>
    </>
  );
}

interface HeaderProps {
  readonly isOpen: boolean;
  readonly onToggle: () => void;
}
function Header({ isOpen, onToggle }: HeaderProps) {
  const isWide = useIsWide();
  const { frame } = useWords();
  const { server, siteIds, purpose } = useSession();
  const isDemonstration = purpose !== 'clinical';
  return (
    <div className="aifi-header" data-demonstration={isDemonstration || undefined}>
      <Burger
        {...{ opened: isOpen, onClick: onToggle, hiddenFrom: 'sm', size: 'sm' }}
        aria-label={isOpen ? frame.closeNavigation : frame.openNavigation}
        aria-expanded={isOpen}
        aria-controls="navigation"
      />
      <span className="aifi-brand">
        <Mark />
        <span>{frame.servers[server]}</span>
        {server === 'gateway' && siteIds[0] && (
          <span className="aifi-brand-site">{siteIds[0]}</span>
        )}
      </span>
      <span
        className="aifi-purpose"
        data-demonstration={isDemonstration || undefined}
        title={isDemonstration ? frame.demonstrationHint : undefined}
      >
        {termOf(frame.purposes, purpose)}
      </span>
      <div className="aifi-header-end">
        {isWide && <LanguageSwitch />}
        {isWide && <SchemeSwitch />}
        <UserMenu />
      </div>
    </div>
  );
}

function Navigation({ items, onGo }: { readonly items: readonly NavItem[]; onGo: () => void }) {
  const { frame } = useWords();
  const { isLive } = useLive();
  const isWide = useIsWide();
  const [location] = useLocation();
  return (
    <Stack justify="space-between" h="100%">
      <Stack gap={2}>
        {items.map(({ to, label, also, badge }) => {
          const isHere = location === to || (also?.test(location) ?? false);
          return (
            <NavLink
              key={to}
              component={Link}
              href={to}
              label={label}
              rightSection={
                badge && (
                  <span className="aifi-badge" role="img" aria-label={badge.label}>
                    {badge.count}
                  </span>
                )
              }
              active={isHere}
              aria-current={isHere ? 'page' : undefined}
              onClick={onGo}
            />
          );
        })}
      </Stack>
      <Stack gap="sm">
        {!isWide && (
          <Group gap="sm">
            <LanguageSwitch />
            <SchemeSwitch />
          </Group>
        )}
        <span title={isLive ? undefined : frame.liveOff}>
          <StateLabel tone={isLive ? 'ok' : 'quiet'}>
            {isLive ? frame.live : frame.liveOff}
          </StateLabel>
        </span>
      </Stack>
    </Stack>
  );
}
