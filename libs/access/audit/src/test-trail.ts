/**
 * Trails for tests: drafts of every act, sealed chains, an anchor's key.
 * Decides only example values. Invariant: the same records every time, so that golden files hold.
 */
import { createPrivateKey, createPublicKey } from 'node:crypto';
import { ACTS, ruleOf, type Act } from '@aifi/access-authorisation';
import type { AuditDraft, AuditRecord } from '@aifi/contracts-rest';
import type { AuditReader, AuditStreamFilter } from './audit-store.js';
import { FIRST_PREVIOUS_HASH, sealRecord } from './chain.js';
import type { AuditSource } from './rendering.js';

export const ALL_ACTS = Object.keys(ACTS) as Act[];
/** 2026-03-03T13:05:00Z: 14:05 in Amsterdam. */
export const START_MS = Date.UTC(2026, 2, 3, 13, 5);
export const SOURCE: AuditSource = {
  sourceId: 'aifi-gateway',
  enterpriseSiteId: 'hospital-a',
  serverAddress: 'https://gateway.hospital-a.example',
};

// PKCS#8 of an Ed25519 key whose 32 bytes are all 7: of tests only.
const PKCS8_PREFIX = '302e020100300506032b657004220420';
export const SIGNING_KEY = createPrivateKey({
  key: Buffer.from(PKCS8_PREFIX + '07'.repeat(32), 'hex'),
  format: 'der',
  type: 'pkcs8',
});
export const PUBLIC_KEY = createPublicKey(SIGNING_KEY);
export const PUBLIC_KEY_PEM = PUBLIC_KEY.export({ format: 'pem', type: 'spki' }).toString();

export function aDraft(over: Partial<AuditDraft> = {}): AuditDraft {
  return {
    act: 'study.read',
    action: 'R',
    outcome: 'success',
    code: null,
    userId: 'sub-1',
    userName: 'Robin Example',
    userKind: 'person',
    role: 'radiologist',
    responsibleUserId: null,
    siteId: 'hospital-a',
    objectType: 'study',
    objectId: '2.25.100',
    patientId: 'P-0001',
    reason: null,
    sourceAddress: '192.0.2.10',
    correlationId: 'c0ffee',
    detail: { count: 3 },
    ...over,
  };
}

/** A draft as the act leaves it: system acts by the server, lists without a patient. */
export function draftOf(act: Act): AuditDraft {
  const { action, by, grantMs } = ruleOf(act);
  const bySystem = { userId: 'aifi-gateway', userName: 'aifi-gateway', role: null };
  return aDraft({
    act,
    action,
    ...(by === 'system' ? { ...bySystem, userKind: 'system', sourceAddress: '' } : {}),
    ...(grantMs === undefined ? {} : { responsibleUserId: 'sub-2', reason: 'Emergency at night' }),
    ...(act.endsWith('s.read') || act.endsWith('study-list.read') ? { patientId: null } : {}),
  });
}

/** Seals drafts one after another, a second apart. */
export function sealAll(
  drafts: readonly AuditDraft[],
  chain = 'gateway:hospital-a',
): AuditRecord[] {
  const records: AuditRecord[] = [];
  for (const draft of drafts) {
    const sequence = records.length + 1;
    const previousHash = records.at(-1)?.hash ?? FIRST_PREVIOUS_HASH;
    const atMs = START_MS + records.length * 1_000;
    records.push(sealRecord(draft, { chain, sequence, atMs, previousHash }));
  }
  return records;
}
export const aTrail = (count: number, chain?: string): AuditRecord[] =>
  sealAll(
    Array.from({ length: count }, (_, index) => aDraft({ detail: { count: index } })),
    chain,
  );

/** A reader of records in memory, in the order of their chain; only what shipping uses. */
export function readerOf(records: readonly AuditRecord[]): AuditReader {
  const chains = [...new Set(records.map(({ chain }) => chain))].sort();
  const ofChain = (chain: string): AuditRecord[] => records.filter((one) => one.chain === chain);
  async function* stream({
    chain,
    afterSequence = 0,
  }: AuditStreamFilter): AsyncGenerator<AuditRecord> {
    for (const one of chain === undefined ? chains : [chain]) {
      yield* ofChain(one).filter(({ sequence }) => sequence > afterSequence);
    }
  }
  return {
    stream,
    search: () => Promise.resolve({ items: [], nextCursor: null }),
    anchors: () => Promise.resolve([]),
    heads: () =>
      Promise.resolve(
        chains.map((chain) => {
          const { sequence, hash } = ofChain(chain).at(-1)!;
          return { chain, sequence, hash };
        }),
      ),
  };
}
