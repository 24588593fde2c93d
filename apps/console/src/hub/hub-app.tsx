/**
 * HubApp: pages of the hub console and the acts that lead to them.
 * Decides addresses and navigation. Invariant: an address holds pseudonyms and names of sites only.
 */
import { lazy } from 'react';
import { useWords } from '../frame/language.js';
import { Routes, type PageRoute } from '../frame/routes.js';
import type { NavItem } from '../frame/shell.js';
import { ApprovalsPage } from '../pages/approvals-page.js';
import { AuditPage } from '../pages/audit-page.js';
import { ModelsPage } from './models-page.js';
import { OverviewPage } from './overview-page.js';
import { SitesPage } from './sites-page.js';
import { StudiesPage } from './studies-page.js';
import { JobPage, StudyPage } from './study-page.js';

// Brings the chart with it.
const SitePage = lazy(async () => ({ default: (await import('./site-page.js')).SitePage }));

const ROUTES: readonly PageRoute[] = [
  { path: '/', act: 'health.read', page: () => <OverviewPage /> },
  { path: '/sites', act: 'health.read', page: () => <SitesPage /> },
  {
    ...{ path: '/sites/:siteId', act: 'health.read' },
    page: ({ siteId = '' }) => <SitePage key={siteId} siteId={siteId} />,
  },
  { path: '/studies', act: 'study-list.read', page: () => <StudiesPage /> },
  {
    ...{ path: '/sites/:siteId/studies/:studyPseudonym', act: 'study.read' },
    page: ({ siteId = '', studyPseudonym = '' }) => (
      <StudyPage key={studyPseudonym} {...{ siteId, studyPseudonym }} />
    ),
  },
  {
    ...{ path: '/jobs/:jobId', act: 'study.read' },
    page: ({ jobId = '' }) => <JobPage key={jobId} jobId={jobId} />,
  },
  { path: '/models', act: 'models.read', page: () => <ModelsPage /> },
  { path: '/approvals', act: 'approvals.read', page: () => <ApprovalsPage /> },
  { path: '/audit', act: 'audit.search', page: () => <AuditPage /> },
];

export function HubApp() {
  const { nav } = useWords().hub;
  const items: readonly NavItem[] = [
    { to: '/', label: nav.overview, act: 'health.read' },
    { to: '/sites', label: nav.sites, act: 'health.read', also: /^\/sites\/[^/]+$/ },
    {
      to: '/studies',
      label: nav.studies,
      act: 'study-list.read',
      also: /^\/(jobs\/|.*\/studies\/)/,
    },
    { to: '/models', label: nav.models, act: 'models.read' },
    { to: '/approvals', label: nav.approvals, act: 'approvals.read' },
    { to: '/audit', label: nav.audit, act: 'audit.search' },
  ];
  return <Routes items={items} routes={ROUTES} />;
}
