/**
 * Which page belongs to an address, and whether the session's roles have it.
 * Decides that the first address leads to the first page that there is for the person, and that an
 * unknown or forbidden one says so instead of showing something else.
 */
import { Suspense, type ReactNode } from 'react';
import { Redirect, Route, Switch } from 'wouter';
import { PageLink } from '../parts/page-link.js';
import { Waiting } from '../parts/waiting.js';
import { useWords } from './language.js';
import { Page } from './page.js';
import { useSession } from './session.js';
import { Shell, type NavItem } from './shell.js';

export interface PageRoute {
  readonly path: string;
  readonly act: string;
  readonly page: (params: Readonly<Record<string, string>>) => ReactNode;
}
interface RoutesProps {
  readonly items: readonly NavItem[];
  readonly routes: readonly PageRoute[];
}

export function Routes({ items, routes }: RoutesProps) {
  const { acts } = useSession();
  const offered = items.filter(({ act }) => acts.includes(act));
  const first = offered[0]?.to;
  const hasFirst = offered.some(({ to }) => to === '/');
  return (
    <Shell items={offered}>
      <Suspense fallback={<Waiting />}>
        <Switch>
          {!hasFirst && (
            <Route path="/">{first ? <Redirect to={first} replace /> : <NoPages />}</Route>
          )}
          {routes.map(({ path, act, page }) => (
            <Route key={path} path={path}>
              {(params: Readonly<Record<string, string>>) =>
                acts.includes(act) ? page(params) : <NoAccess />
              }
            </Route>
          ))}
          <Route>
            <NotFound />
          </Route>
        </Switch>
      </Suspense>
    </Shell>
  );
}

function NoPages() {
  const { frame } = useWords();
  return (
    <Page title={frame.noAccessTitle}>
      <p>{frame.noPagesText}</p>
    </Page>
  );
}

function NoAccess() {
  const { frame } = useWords();
  return (
    <Page title={frame.noAccessTitle}>
      <p>{frame.noAccessText}</p>
      <PageLink to="/">{frame.home}</PageLink>
    </Page>
  );
}

function NotFound() {
  const { frame } = useWords();
  return (
    <Page title={frame.notFoundTitle}>
      <p>{frame.notFoundText}</p>
      <PageLink to="/">{frame.home}</PageLink>
    </Page>
  );
}
