/**
 * GatewayApp: pages of a hospital's own gateway and the acts that lead to them.
 * Decides addresses and navigation, and that the number of undelivered objects stands there.
 * Invariant: an address never holds a patient's name or number.
 */
import { useWords } from '../frame/language.js';
import { Routes, type PageRoute } from '../frame/routes.js';
import type { NavItem } from '../frame/shell.js';
import { ApprovalsPage } from '../pages/approvals-page.js';
import { AuditPage } from '../pages/audit-page.js';
import { AlertsPage } from './alerts-page.js';
import { DeadLettersPage } from './dead-letters-page.js';
import { FlagsPage } from './flags-page.js';
import { PatientExtractPage } from './patient-extract-page.js';
import { ReidentifyPage } from './reidentify-page.js';
import { StatusPage } from './status-page.js';
import { StudiesPage } from './studies-page.js';
import { JobPage, StudyPage } from './study-page.js';
import { useUndelivered } from './undelivered.js';

const ROUTES: readonly PageRoute[] = [
  { path: '/', act: 'hospital-study-list.read', page: () => <StudiesPage /> },
  {
    ...{ path: '/studies/:studyInstanceUid', act: 'hospital-study.read' },
    page: ({ studyInstanceUid = '' }) => (
      <StudyPage key={studyInstanceUid} studyInstanceUid={studyInstanceUid} />
    ),
  },
  {
    ...{ path: '/jobs/:jobId', act: 'hospital-study.read' },
    page: ({ jobId = '' }) => <JobPage key={jobId} jobId={jobId} />,
  },
  { path: '/status', act: 'health.read', page: () => <StatusPage /> },
  { path: '/dead-letters', act: 'dead-letters.read', page: () => <DeadLettersPage /> },
  { path: '/reidentify', act: 'linkage.read', page: () => <ReidentifyPage jobId="" /> },
  {
    ...{ path: '/reidentify/:jobId', act: 'linkage.read' },
    page: ({ jobId = '' }) => <ReidentifyPage key={jobId} jobId={jobId} />,
  },
  { path: '/approvals', act: 'approvals.read', page: () => <ApprovalsPage /> },
  { path: '/patient-flags', act: 'patient-flags.read', page: () => <FlagsPage /> },
  { path: '/alerts', act: 'alerts.read', page: () => <AlertsPage /> },
  { path: '/audit', act: 'audit.search', page: () => <AuditPage /> },
  { path: '/patient-extract', act: 'patient-extract.read', page: () => <PatientExtractPage /> },
];

export function GatewayApp() {
  const { nav, deadLetters } = useWords().gateway;
  const undelivered = useUndelivered() ?? 0;
  const items: readonly NavItem[] = [
    { to: '/', label: nav.studies, act: 'hospital-study-list.read', also: /^\/(studies|jobs)\// },
    { to: '/status', label: nav.status, act: 'health.read' },
    {
      ...{ to: '/dead-letters', label: nav.deadLetters, act: 'dead-letters.read' },
      ...(undelivered > 0 && {
        badge: { count: undelivered, label: deadLetters.badge(undelivered) },
      }),
    },
    { to: '/reidentify', label: nav.reidentify, act: 'linkage.read', also: /^\/reidentify\// },
    { to: '/approvals', label: nav.approvals, act: 'approvals.read' },
    { to: '/alerts', label: nav.alerts, act: 'alerts.read' },
    { to: '/patient-flags', label: nav.flags, act: 'patient-flags.read' },
    { to: '/audit', label: nav.audit, act: 'audit.search' },
    { to: '/patient-extract', label: nav.extract, act: 'patient-extract.read' },
  ];
  return <Routes items={items} routes={ROUTES} />;
}
