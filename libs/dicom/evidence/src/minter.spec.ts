/** Goal: minted UIDs are reproducible and all listed. Method: fixed inputs, compare and vary. */
import { describe, expect, it } from '@jest/globals';
import { outcomeManifestSchema } from '@aifi/contracts-manifests';
import { AifiError, isUid, jobId, sha256 } from '@aifi/shared-kernel';
import { createMinter } from './minter.js';

const JOB = jobId('a'.repeat(32));
const MODEL = sha256('b'.repeat(64));

describe('createMinter', () => {
  it('gives the same valid UID for the same job, model, role, index and issue', () => {
    const [sut, again] = [createMinter(JOB, MODEL, 0), createMinter(JOB, MODEL, 0)];
    expect(isUid(sut.mint('sr', 0))).toBe(true);
    expect(sut.mint('sr', 0)).toBe(again.mint('sr', 0));
  });

  it('gives another UID when any of job, model, role, index, issue or key differs', () => {
    const uids = [
      createMinter(JOB, MODEL, 0).mint('sr', 0),
      createMinter(jobId('c'.repeat(32)), MODEL, 0).mint('sr', 0),
      createMinter(JOB, sha256('d'.repeat(64)), 0).mint('sr', 0),
      createMinter(JOB, MODEL, 1).mint('sr', 0),
      createMinter(JOB, MODEL, 0).mint('sr', 1),
      createMinter(JOB, MODEL, 0).mint('sr-series', 0),
      createMinter(JOB, MODEL, 0, Buffer.from('other hub')).mint('sr', 0),
    ];
    expect(new Set(uids).size).toBe(uids.length);
  });

  it('lists every UID once, in a form that the outcome manifest takes', () => {
    const sut = createMinter(JOB, MODEL, 0);
    const uid = sut.mint('tracking', 2);
    sut.mint('sr', 0);
    sut.mint('tracking', 2);
    expect(sut.minted.map(({ role, index }) => [role, index])).toEqual([
      ['tracking', 2],
      ['sr', 0],
    ]);
    expect(sut.minted[0]?.uid).toBe(uid);
    const minted = outcomeManifestSchema.shape.mintedUids.parse(sut.minted);
    expect(minted).toEqual(sut.minted);
  });

  it('refuses a role or index that the outcome manifest does not take', () => {
    const sut = createMinter(JOB, MODEL, 0);
    expect(() => sut.mint('SR', 0)).toThrow(AifiError);
    expect(() => sut.mint('sr', -1)).toThrow(AifiError);
    expect(() => sut.mint('sr', 0.5)).toThrow(AifiError);
  });
});
