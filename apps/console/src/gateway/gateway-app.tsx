/**
 * GatewayApp: pages of a hospital's own gateway and the acts that lead to them.
 * Decides addresses and navigation, and that the numbers of undelivered objects
 * and of images to look at stand there.
 * Invariant: an address never holds a patient's name or number.
 */
import { useWords } from '../frame/language.js';
import { Routes, type PageRoute } from '../frame/routes.js';
import type { NavItem } from '../frame/shell.js';
import { ApprovalsPage } from '../pages/approvals-page.js';
import { AuditPage } from '../pages/audit-page.js';
import { AlertsPage } from './alerts-page.js';
import { CataloguePage } from './catalogue-page.js';
import { DeadLettersPage } from './dead-letters-page.js';
import { ErasurePage } from './erasure-page.js';
import { FlagsPage } from './flags-page.js';
import { useImagesToLookAt } from './held-images.js';
import { LinkPage } from './link-page.js';
import { ObjectionsPage } from './objections-page.js';
import { PatientExtractPage } from './patient-extract-page.js';
import { PixelHoldPage } from './pixel-hold-page.js';
import { PixelHoldsPage } from './pixel-holds-page.js';
import { RecallPage } from './recall-page.js';
import { ReconciliationPage } from './reconciliation-page.js';
import { ReidentifyPage } from './reidentify-page.js';
import { SetupPage } from './setup-page.js';
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
  { path: '/setup', act: 'health.read', page: () => <SetupPage /> },
  { path: '/link', act: 'health.read', page: () => <LinkPage /> },
  { path: '/dead-letters', act: 'dead-letters.read', page: () => <DeadLettersPage /> },
  { path: '/reconciliation', act: 'reconciliation.read', page: () => <ReconciliationPage /> },
  { path: '/catalogue', act: 'catalogue.read', page: () => <CataloguePage /> },
  { path: '/objections', act: 'objections.read', page: () => <ObjectionsPage /> },
  { path: '/pixel-holds', act: 'pixel-holds.read', page: () => <PixelHoldsPage /> },
  {
    ...{ path: '/pixel-holds/job/:jobId', act: 'pixel-holds.read' },
    page: ({ jobId = '' }) => <PixelHoldsPage key={jobId} jobId={jobId} />,
  },
  {
    ...{ path: '/pixel-holds/:holdId', act: 'pixel-hold.open' },
    page: ({ holdId = '' }) => <PixelHoldPage key={holdId} holdId={holdId} />,
  },
  { path: '/recall', act: 'results-register.read', page: () => <RecallPage /> },
  { path: '/erasure', act: 'patient-code.read', page: () => <ErasurePage /> },
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
  const { catalogue, gateway, link, objections, reconciliation, setup } = useWords();
  const { nav, deadLetters, pixelHolds } = gateway;
  const undelivered = useUndelivered() ?? 0;
  const toLookAt = useImagesToLookAt() ?? 0;
  const items: readonly NavItem[] = [
    { to: '/', label: nav.studies, act: 'hospital-study-list.read', also: /^\/(studies|jobs)\// },
    { to: '/status', label: nav.status, act: 'health.read' },
    { to: '/setup', label: setup.nav, act: 'health.read' },
    { to: '/link', label: link.nav, act: 'health.read' },
    {
      ...{ to: '/dead-letters', label: nav.deadLetters, act: 'dead-letters.read' },
      ...(undelivered > 0 && {
        badge: { count: undelivered, label: deadLetters.badge(undelivered) },
      }),
    },
    { to: '/reconciliation', label: reconciliation.nav, act: 'reconciliation.read' },
    {
      ...{ to: '/pixel-holds', label: nav.pixelHolds, act: 'pixel-holds.read' },
      also: /^\/pixel-holds\//,
      ...(toLookAt > 0 && { badge: { count: toLookAt, label: pixelHolds.badge(toLookAt) } }),
    },
    { to: '/reidentify', label: nav.reidentify, act: 'linkage.read', also: /^\/reidentify\// },
    { to: '/approvals', label: nav.approvals, act: 'approvals.read' },
    { to: '/catalogue', label: catalogue.nav, act: 'catalogue.read' },
    { to: '/objections', label: objections.nav, act: 'objections.read' },
    { to: '/alerts', label: nav.alerts, act: 'alerts.read' },
    { to: '/patient-flags', label: nav.flags, act: 'patient-flags.read' },
    { to: '/recall', label: nav.recall, act: 'results-register.read' },
    { to: '/erasure', label: nav.erasure, act: 'patient-code.read' },
    { to: '/audit', label: nav.audit, act: 'audit.search' },
    { to: '/patient-extract', label: nav.extract, act: 'patient-extract.read' },
  ];
  return <Routes items={items} routes={ROUTES} />;
}
