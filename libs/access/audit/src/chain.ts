/**
 * The chain: every record carries the hash of the one before it, and every day's end is signed.
 * Decides what a hash covers and what an anchor signs; `verifyChain` finds what was changed.
 * Invariants: sequences of a chain rise by one from 1; the hash covers every other field, the hash
 * before it among them; an anchor fixes everything up to its record.
 * Source: security specification 5; hazard H18; RFC 8785 (canonical JSON); RFC 8032 (Ed25519).
 */
import type { KeyObject } from 'node:crypto';
import {
  decodeManifest,
  signManifest,
  verifyManifest,
  type VerifyingKeys,
} from '@aifi/contracts-manifests';
import {
  auditAnchorSchema,
  auditDraftSchema,
  type AuditAnchor,
  type AuditDraft,
  type AuditRecord,
} from '@aifi/contracts-rest';
import { AifiError, canonicalJson, sha256Hex } from '@aifi/shared-kernel';

/** What the first record of a chain has in place of a hash before it. */
export const FIRST_PREVIOUS_HASH = '0'.repeat(64);

/** Where a record goes in its chain. */
export interface ChainPlace {
  readonly chain: string;
  readonly sequence: number;
  readonly atMs: number;
  readonly previousHash: string;
}

/** The record of a draft at its place. INTERNAL for a draft without its form: the act must fail. */
export function sealRecord(draft: AuditDraft, place: ChainPlace): AuditRecord {
  const parsed = auditDraftSchema.safeParse(keepable(draft));
  if (!parsed.success) throw new AifiError('INTERNAL', 'an audit record has not its form');
  const { chain, sequence, atMs, previousHash } = place;
  const unsealed = { ...parsed.data, chain, sequence, atMs, previousHash };
  return { ...unsealed, hash: hashOf(unsealed) } as AuditRecord;
}

/** Text as every database keeps it: no NUL, no lone surrogate; else the kept hash would differ. */
function keepable(draft: AuditDraft): unknown {
  const clean = (value: unknown): unknown =>
    typeof value === 'string' ? value.replaceAll('\0', '\ufffd').toWellFormed() : value;
  const members = (value: object): object =>
    Object.fromEntries(Object.entries(value).map(([key, member]) => [clean(key), clean(member)]));
  return { ...members(draft), detail: members(draft.detail) };
}

const hashOf = (unsealed: object): string => sha256Hex(canonicalJson(unsealed));

/** Hash over every field but the hash itself. */
export function recordHash(record: AuditRecord): string {
  // Members that are undefined are not part of the canonical form.
  return hashOf({ ...record, hash: undefined });
}

export interface AnchorInput {
  readonly record: Pick<AuditRecord, 'chain' | 'sequence' | 'hash'>;
  /** Day in UTC, as yyyy-mm-dd. */
  readonly day: string;
  readonly madeAtMs: number;
  readonly signingKey: KeyObject;
}

/** Signs the end of a chain. */
export function makeAnchor({ record, day, madeAtMs, signingKey }: AnchorInput): AuditAnchor {
  const { chain, sequence, hash } = record;
  const unsigned = { schema: 'aifi.audit-anchor.v1', chain, day, sequence, hash, madeAtMs };
  const signature = signManifest(Buffer.from(canonicalJson(unsigned)), signingKey);
  const anchor = { ...unsigned, signature: signature.toString('base64') };
  return decodeManifest(auditAnchorSchema, Buffer.from(JSON.stringify(anchor)));
}

/** Throws UNTRUSTED unless the signature is of one of the keys. */
export function verifyAnchor(anchor: AuditAnchor, keys: VerifyingKeys): void {
  const { signature, ...unsigned } = anchor;
  const bytes = Buffer.from(canonicalJson(unsigned));
  verifyManifest(bytes, Buffer.from(signature, 'base64'), keys);
}
