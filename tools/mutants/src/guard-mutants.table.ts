/**
 * Mutants of the guards C1 to C7: each takes one guard away, and names the suites that must notice.
 * Decides that a guard counts as tested only when its absence makes a test fail (T-MIS-5).
 * Invariant: `find` occurs exactly once in its file, so that a mutant is never out of date silently.
 * Source: reliability specification 1 (C1-C7, T-MIS-5).
 */
export interface Mutant {
  readonly guard: 'C1' | 'C2' | 'C3' | 'C4' | 'C5' | 'C6' | 'C7';
  /** What the mutant does, for the title of its test. */
  readonly what: string;
  readonly file: string;
  readonly find: string;
  readonly replace: string;
  readonly kind: 'unit' | 'integration';
  /** Part of the path of the suites that must fail. */
  readonly suites: string;
}

const REIDENTIFY = 'libs/gateway/reidentify/src';

export const GUARD_MUTANTS: readonly Mutant[] = [
  {
    guard: 'C1',
    what: 'takes a name beside the site of the certificate',
    file: 'libs/hub/identity/src/site-from-peer.ts',
    find: '(uris.length === 1 && SITE_URI.exec(uris[0]!))',
    replace: '(uris.length >= 1 && SITE_URI.exec(uris[0]!))',
    kind: 'unit',
    suites: 'libs/hub/identity',
  },
  {
    guard: 'C1',
    what: 'takes the site of any trust domain',
    file: 'libs/hub/identity/src/site-from-peer.ts',
    find: 'spiffe:\\/\\/aifi\\/site',
    replace: 'spiffe:\\/\\/[a-z]+\\/site',
    kind: 'unit',
    suites: 'libs/hub/identity',
  },
  {
    guard: 'C2',
    what: 'sends the outcomes of every gateway of a site to whoever asks',
    file: 'libs/hub/database/src/outcomes.ts',
    find: 'AND o.sequence > $1 AND j.gateway = ANY($2::int[])',
    replace: 'AND o.sequence > $1 AND $2::int[] IS NOT NULL',
    kind: 'integration',
    suites: 'libs/hub/downlink/src/postgres-outcome-store',
  },
  {
    guard: 'C3',
    what: 'binds nobody to row-level security who owns the table',
    file: 'libs/hub/database/src/migrations/1795200879066-CreateHubTables.ts',
    find: 'ALTER TABLE ${table} FORCE ROW LEVEL SECURITY;',
    replace: '',
    kind: 'integration',
    suites: 'libs/hub/database/src/catalogue',
  },
  {
    guard: 'C3',
    what: 'lets an outcome point at the job of another site',
    file: 'libs/hub/database/src/migrations/1795200879066-CreateHubTables.ts',
    find: 'FOREIGN KEY (site_id, job_id, issue) REFERENCES outcome',
    replace: 'CHECK (issue >= 0)',
    kind: 'integration',
    suites: 'libs/hub/database/src/catalogue',
  },
  {
    guard: 'C4',
    what: 'believes an envelope of another job',
    file: `${REIDENTIFY}/guards.ts`,
    find: 'opened.jobId === jobId && opened.revision === manifest.revision',
    replace: 'opened.revision === manifest.revision',
    kind: 'unit',
    suites: `${REIDENTIFY}/guards`,
  },
  {
    guard: 'C4',
    what: 'binds the seal to nothing',
    file: 'libs/gateway/vault/src/envelope.ts',
    find: 'canonicalJson([siteId, jobId, pseudonymousStudyUid, manifestSha256])',
    replace: 'canonicalJson([])',
    kind: 'unit',
    suites: 'libs/gateway/vault/src/envelope',
  },
  {
    guard: 'C5',
    what: 'does not compare the envelope with the linkage',
    file: `${REIDENTIFY}/guards.ts`,
    find: 'hmacs.value[name] !== expected[name as keyof typeof expected]',
    replace: 'name === ""',
    kind: 'unit',
    suites: `${REIDENTIFY}/guards`,
  },
  {
    guard: 'C6',
    what: 'does not compare what the worker read with what was sent',
    file: `${REIDENTIFY}/guards.ts`,
    find: 'manifest.inputDigest !== objectsDigest(sent.objectSha256s)',
    replace: 'manifest.inputDigest.length !== 64',
    kind: 'unit',
    suites: `${REIDENTIFY}/guards`,
  },
  {
    guard: 'C6',
    what: 'believes a manifest that the hub did not sign',
    file: 'libs/contracts/manifests/src/manifest-codec.ts',
    find: 'if (!trusted.some(',
    replace: 'if (false && !trusted.some(',
    kind: 'integration',
    suites: 'libs/gateway/downlink',
  },
  {
    guard: 'C7',
    what: 'sends whatever the PACS shows',
    file: 'libs/gateway/deliver/src/last-look.ts',
    find: "if (verdict === 'same')",
    replace: "if (verdict !== 'absent')",
    kind: 'unit',
    suites: 'libs/gateway/deliver/src/last-look',
  },
];
