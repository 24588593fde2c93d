/**
 * Goal: an auditor without our code finds any change, and no false one.
 * Method: tools/audit-verify as a process of its own, over exports that are as written or tampered
 * with in every way that an attacker has (fast-check).
 */
import { spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { AuditAnchor, AuditRecord } from '@aifi/contracts-rest';
import { canonicalJson } from '@aifi/shared-kernel';
import { temporaryFolder } from '@aifi/shared-testing';
import { makeAnchor } from './chain.js';
import { anyTampering } from './test-tampering.js';
import { aDraft, aTrail, PUBLIC_KEY_PEM, sealAll, SIGNING_KEY } from './test-trail.js';

const SCRIPT = fileURLToPath(new URL('../../../../tools/audit-verify/verify.mjs', import.meta.url));
const folder = temporaryFolder('audit-verify');
afterAll(() => folder.remove());

const trail = aTrail(8);
const anchorOf = (record: AuditRecord, madeAtMs = record.atMs): AuditAnchor =>
  makeAnchor({ record, day: '2026-03-03', madeAtMs, signingKey: SIGNING_KEY });
const anchors = [anchorOf(trail[3]!), anchorOf(trail[7]!)];

interface Given {
  readonly anchors?: readonly AuditAnchor[];
  readonly publicKeyPem?: string;
  readonly words?: readonly string[];
}
function verify(
  records: readonly AuditRecord[],
  given: Given = {},
): { status: number | null; words: string } {
  const [exportFile, anchorsFile] = ['export.ndjson', 'anchors.json'].map((name) =>
    join(folder.path, name),
  ) as [string, string];
  // Canonical JSON as it is: harder to read than our export, which escapes U+2028.
  writeFileSync(exportFile, records.map((record) => `${canonicalJson(record)}\n`).join(''));
  const { publicKeyPem = PUBLIC_KEY_PEM, words = [] } = given;
  writeFileSync(anchorsFile, JSON.stringify({ publicKeyPem, anchors: given.anchors ?? anchors }));
  const command = [SCRIPT, exportFile, anchorsFile, ...words];
  const { status, stdout, stderr } = spawnSync(process.execPath, command, { encoding: 'utf8' });
  return { status, words: `${stdout}${stderr}`.trim() };
}

describe('tools/audit-verify', () => {
  it('takes what was written, several chains of it', () => {
    const other = sealAll(
      [aDraft({ reason: 'é "quoted" \u2028 \ud83d\ude00', detail: { b: 1.5, a: true, ä: 'x' } })],
      'hub:*',
    );
    const words = '9 records in 2 chains and 3 anchors are as written';
    const all = [...anchors, anchorOf(other[0]!)];
    expect(verify([...trail, ...other], { anchors: all })).toEqual({ status: 0, words });
  });

  it('finds any edit, deletion, insertion, repeat, swap, cut and rewriting', () => {
    const tamper = fc.property(anyTampering(trail), ({ records }) => {
      const { status, words } = verify(records);
      expect(status).toBe(1);
      expect(words).toMatch(/^[^\n]+, record \d+( \(line \d+\))?: [^\n]+$/);
    });
    fc.assert(tamper, { numRuns: 60 });
  }, 120_000);

  it('names the first entry that is wrong', () => {
    const edited = trail.with(4, { ...trail[4]!, userId: 'x' }).with(6, { ...trail[6]!, act: 'x' });
    const { words } = verify(edited);
    const first = 'gateway:hospital-a, record 5 (line 5): ';
    expect(words).toBe(`${first}edited, its hash is not that of its content`);
    const { words: deleted } = verify(trail.toSpliced(2, 1));
    expect(deleted).toBe('gateway:hospital-a, record 4 (line 3): after record 2 of this chain');
    const { words: cut } = verify(trail.slice(0, 6));
    expect(cut).toContain('record 8: signed on 2026-03-03, not in the export');
  });

  it('refuses a chain that vanished as a whole', () => {
    expect(verify([])).toMatchObject({ status: 1 });
  });

  it('refuses anchors that were edited or signed with another key', () => {
    const later = { ...anchors[0]!, day: '2026-03-04' };
    expect(verify(trail, { anchors: [later] })).toMatchObject({ status: 1 });
    const { publicKey } = generateKeyPairSync('ed25519');
    const pem = publicKey.export({ format: 'pem', type: 'spki' }).toString();
    const file = join(folder.path, 'auditor.pem');
    writeFileSync(file, pem);
    // The auditor's own key decides, whatever came with the anchors.
    const { status, words } = verify(trail, { words: ['--public-key', file] });
    expect(status).toBe(1);
    expect(words).toContain('not signed by this key');
    writeFileSync(file, PUBLIC_KEY_PEM);
    const own = verify(trail, { publicKeyPem: pem, words: ['--public-key', file] });
    expect(own.status).toBe(0);
  });

  it('allows a missing beginning only behind an anchor older than five years', () => {
    const old = anchorOf(trail[3]!, Date.UTC(2001, 0, 1));
    const rest = trail.slice(4);
    expect(verify(rest, { anchors: [old, anchors[1]!] })).toMatchObject({ status: 0 });
    // The script's clock is the machine's: an anchor of the far future is young on any.
    const young = anchorOf(trail[3]!, Date.UTC(2200, 0, 1));
    expect(verify(rest, { anchors: [young, anchors[1]!] })).toMatchObject({ status: 1 });
    expect(verify(trail.slice(5), { anchors: [old] })).toMatchObject({ status: 1 });
  });

  it('says how it is used, and refuses what is no JSON', () => {
    const bare = spawnSync(process.execPath, [SCRIPT], { encoding: 'utf8' });
    expect(bare).toMatchObject({ status: 1, stderr: expect.stringContaining('usage') });
    const [exportFile, anchorsFile] = [join(folder.path, 'e'), join(folder.path, 'a')];
    writeFileSync(exportFile, 'not json\n');
    writeFileSync(anchorsFile, JSON.stringify({ publicKeyPem: PUBLIC_KEY_PEM, anchors: [] }));
    const broken = spawnSync(process.execPath, [SCRIPT, exportFile, anchorsFile], {
      encoding: 'utf8',
    });
    expect(broken.status).toBe(1);
    expect(broken.stderr).toMatch(/^after 0 records: .*JSON/);
  });
});
