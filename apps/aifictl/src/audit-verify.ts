/**
 * audit verify: whether an exported trail is whole, without asking anybody.
 * Decides what is said of a chain: how far it goes, up to where a signed anchor vouches for it, or
 * the first record that is not what it was. Invariant: what does not read is broken, never skipped.
 * Source: security specification 5; libs/access/audit (verifyChain).
 */
import { createHash, createPublicKey, type KeyObject } from 'node:crypto';
import { verifyAnchor, verifyChain } from '@aifi/access-audit';
import {
  auditRecordSchema,
  auditRoutes,
  type AuditAnchor,
  type AuditRecord,
} from '@aifi/contracts-rest';
import { AifiError } from '@aifi/shared-kernel';
import { UsageError, type Command } from './command-line.js';
import type { AuditVerifyDocument } from './documents.js';
import { count } from './plain-values.js';
import type { Terminal } from './terminal.js';

interface Anchors {
  readonly keySha256: string | null;
  readonly anchors: readonly AuditAnchor[];
}

export async function auditVerify(
  { id: file, options }: Command,
  terminal: Terminal,
): Promise<AuditVerifyDocument> {
  const base = { schema: 'aifictl.audit-verify.v1', file } as const;
  const none = { records: 0, chains: [], broken: null };
  let trusted: Anchors;
  try {
    trusted = readAnchors(options.anchors, terminal);
  } catch (error) {
    if (!(error instanceof AifiError)) throw error;
    const fault = 'the anchors are not signed by the key beside them';
    return { ...base, ...none, ok: false, keySha256: null, fault };
  }
  const { anchors, keySha256 } = trusted;
  try {
    const records = recordsOf(file, terminal);
    const verdict = await verifyChain(records, { anchors, nowMs: terminal.nowMs() });
    if (!verdict.ok) {
      const { broken } = verdict;
      return { ...base, ...none, ok: false, broken, keySha256, fault: null };
    }
    const chains = [...verdict.ends].map(([chain, { sequence, hash }]) => ({
      ...{ chain, sequence, hash },
      anchoredUntil: lastAnchored(anchors, chain),
    }));
    return {
      ...base,
      ok: true,
      records: verdict.count,
      chains,
      broken: null,
      keySha256,
      fault: null,
    };
  } catch (error) {
    if (!(error instanceof NoRecord)) throw error;
    const fault = `line ${error.line} is no audit record`;
    return { ...base, ...none, ok: false, keySha256, fault };
  }
}

const lastAnchored = (anchors: readonly AuditAnchor[], chain: string): number | null =>
  anchors
    .filter((anchor) => anchor.chain === chain)
    .reduce<number | null>((last, { sequence }) => Math.max(last ?? 0, sequence), null);

class NoRecord extends Error {
  constructor(readonly line: number) {
    super();
  }
}

async function* recordsOf(path: string, { files }: Terminal): AsyncGenerator<AuditRecord> {
  let line = 0;
  try {
    for await (const text of files.lines(path)) {
      line += 1;
      if (text !== '') yield recordOf(text, line);
    }
  } catch (error) {
    if (error instanceof NoRecord) throw error;
    throw new UsageError('the export cannot be read');
  }
}

function recordOf(text: string, line: number): AuditRecord {
  try {
    return auditRecordSchema.parse(JSON.parse(text));
  } catch {
    throw new NoRecord(line);
  }
}

function readAnchors(path: string | undefined, { files }: Terminal): Anchors {
  if (path === undefined) return { anchors: [], keySha256: null };
  let document: { publicKeyPem: string; anchors: AuditAnchor[] };
  let key: KeyObject;
  try {
    document = auditRoutes.auditAnchors.response.parse(JSON.parse(files.readText(path)));
    key = createPublicKey(document.publicKeyPem);
  } catch {
    throw new UsageError('the file of --anchors is not one of aifictl audit export --anchors');
  }
  for (const anchor of document.anchors) verifyAnchor(anchor, key);
  const der = key.export({ format: 'der', type: 'spki' });
  const keySha256 = createHash('sha256').update(der).digest('hex');
  return { anchors: document.anchors, keySha256 };
}

export function renderAuditVerify(document: AuditVerifyDocument): string {
  const { file, ok, records, chains, broken, keySha256, fault } = document;
  if (!ok) {
    const words = broken
      ? `record ${broken.sequence} of ${broken.chain} is ${BREAK_WORDS[broken.kind] ?? broken.kind}`
      : fault;
    return `${file}: NOT WHOLE: ${words}\n`;
  }
  const lines = chains.map(({ chain, sequence, anchoredUntil }) => {
    const vouched = anchoredUntil === null ? 'no anchor' : `anchored up to ${anchoredUntil}`;
    return `  ${chain}: 1 to ${sequence}, ${vouched}`;
  });
  const key = keySha256 === null ? [NO_ANCHORS] : [`  key of the anchors: sha256 ${keySha256}`];
  const first = `${file}: whole, ${count(records, 'record')} in ${count(chains.length, 'chain')}`;
  return `${[first, ...lines, ...key].join('\n')}\n`;
}

const NO_ANCHORS = '  without --anchors a chain whose end was cut off looks whole';
const BREAK_WORDS: Readonly<Record<string, string>> = {
  edited: 'not what was written',
  deleted: 'missing',
  inserted: 'not from here',
  reordered: 'not in its place',
};
