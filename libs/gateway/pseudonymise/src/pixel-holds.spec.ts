/**
 * Goal: what the pixel gate does not clear never leaves by itself, a person's release lets exactly
 * the released bytes go, and whatever interrupts a job, its bytes come out the same.
 * Method: real SQLite, vault and files; a fake gate that answers by file; interruptions as faults
 * at the boundaries where a process can die, and as remains of a dead one.
 */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decodePart10 } from '@aifi/dicom-core';
import { reselectJob, type Row } from '@aifi/gateway-database';
import { AifiError, type Sha256 } from '@aifi/shared-kernel';
import { keyRingOf } from '@aifi/shared-site-keys';
import { fakeSiteKeys } from '@aifi/shared-testing';
import { anInstance, jobOf, SelectedJobs } from '../test/selected-jobs.js';
import { createPseudonymiseStage } from './index.js';

const FINDING = { x: 1, y: 2, width: 30, height: 12, frame: 0 };
const HELD = [{ state: 'QUARANTINED', code: 'QUARANTINED_PIXELS' }];
const SPOOLED = [{ state: 'SPOOLED', code: null }];

describe(createPseudonymiseStage.name, () => {
  let gateway: SelectedJobs;
  beforeEach(() => void (gateway = new SelectedJobs()));
  afterEach(() => gateway.remove());

  const holdRows = (): Row[] =>
    gateway.database.read((sql) =>
      sql.all<Row>('SELECT sha256, reason, findings, state FROM pixel_hold ORDER BY rowid'),
    );
  const numberOf = (path: string) =>
    decodePart10(readFileSync(path)).dataset.number('InstanceNumber');
  const decide = (sha256: Sha256, state: 'RELEASED' | 'REJECTED'): Promise<unknown> =>
    gateway.database.write((sql) =>
      sql.run('UPDATE pixel_hold SET state = ? WHERE sha256 = ?', state, sha256),
    );
  const reselect = (): Promise<unknown> =>
    gateway.database.write((sql) => reselectJob(sql, { jobId: jobOf(1), atMs: 5 }));
  const asPerson = (): void => {
    gateway.gate.answer = ({ header, isReleased }) =>
      header.number('InstanceNumber') === 2 && !isReleased
        ? { kind: 'hold', reason: 'text was seen', findings: [FINDING] }
        : { kind: 'clear', by: isReleased ? 'person' : 'tier' };
  };

  it('holds the job when one image waits for a person, and writes down which', async () => {
    const files = await gateway.add(1, [anInstance(1), anInstance(2), anInstance(3)]);
    asPerson();
    await gateway.work();
    expect(gateway.states()).toEqual(HELD);
    expect(holdRows()).toEqual([
      {
        ...{ sha256: files[1], reason: 'text was seen', state: 'WAITING' },
        findings: JSON.stringify([FINDING]),
      },
    ]);
    expect(gateway.sink.studies).toEqual([]);
    expect(gateway.vault.linkage(jobOf(1))).toBeUndefined();
    expect(existsSync(gateway.spoolOf(1))).toBe(false);
  });

  it('asks about every image of a job once, with its header', async () => {
    await gateway.add(1, [anInstance(1), anInstance(2), anInstance(3)]);
    asPerson();
    await gateway.work();
    const asked = gateway.gate.asked.map(({ header, isReleased }) => [
      ...[header.number('InstanceNumber'), isReleased],
    ]);
    expect(asked.sort()).toEqual([1, 2, 3].map((n) => [n, false]));
  });

  it('lets the study go once a person has released what was held', async () => {
    const files = await gateway.add(1, [anInstance(1), anInstance(2)]);
    asPerson();
    await gateway.work();
    await decide(files[1]!, 'RELEASED');
    await reselect();
    await gateway.work();
    expect(gateway.states()).toEqual(SPOOLED);
    expect(gateway.sink.studies[0]!.instances.map(({ path }) => numberOf(path))).toEqual([1, 2]);
  });

  it('takes no job up again whose images still wait or were rejected', async () => {
    const files = await gateway.add(1, [anInstance(2)]);
    asPerson();
    await gateway.work();
    await expect(reselect()).rejects.toMatchObject({ code: 'STATE_CONFLICT' });
    await decide(files[0]!, 'REJECTED');
    await expect(reselect()).rejects.toMatchObject({ code: 'STATE_CONFLICT' });
    expect(gateway.states()).toEqual(HELD);
  });

  it('counts a release for the bytes that the person has seen, for no others', async () => {
    const files = await gateway.add(1, [anInstance(2)]);
    asPerson();
    await gateway.work();
    await decide(files[0]!, 'RELEASED');
    await reselect();
    const path = join(gateway.path, 'incoming', '1-0.dcm');
    const bytes = readFileSync(path);
    bytes.writeUInt8(bytes.at(-1)! ^ 1, bytes.length - 1);
    await writeFile(path, bytes);
    await gateway.work();
    expect(gateway.states()).toEqual([{ state: 'NOT_ANALYSED_NOTIFIED', code: 'MALFORMED' }]);
    expect(gateway.sink.studies).toEqual([]);
  });

  it('ends a job of which one image never leaves, whatever else would be held', async () => {
    await gateway.add(1, [anInstance(1), anInstance(2)]);
    gateway.gate.answer = ({ header }) =>
      header.number('InstanceNumber') === 1
        ? { kind: 'hold', reason: 'text was seen', findings: [] }
        : { kind: 'refuse', reason: 'a form' };
    await gateway.work();
    expect(gateway.states()).toEqual([
      { state: 'NOT_ANALYSED_NOTIFIED', code: 'QUARANTINED_PIXELS' },
    ]);
    expect(holdRows()).toEqual([]);
    expect(gateway.sink.studies).toEqual([]);
  });

  it('holds an image over which the gate fails, it never passes', async () => {
    await gateway.add(1, [anInstance(1), anInstance(2)]);
    gateway.gate.answer = ({ header }) => {
      if (header.number('InstanceNumber') === 2) throw new AifiError('INTERNAL', 'a fault');
      return { kind: 'clear', by: 'tier' };
    };
    await gateway.work();
    expect(gateway.states()).toEqual(HELD);
    expect(holdRows()).toMatchObject([{ reason: 'the pixels could not be examined' }]);
    expect(gateway.sink.studies).toEqual([]);
  });

  it('keeps what the contract of the product asks for, and no more', async () => {
    const aged = () => anInstance(1).setString('PatientSex', 'F').setString('PatientAge', '034Y');
    await gateway.add(1, [aged()], JSON.stringify({ retain: ['sex'] }));
    await gateway.add(2, [aged()]);
    await gateway.work();
    const [sexOnly, byDefault] = gateway.sink.studies.map(
      ({ instances }) => decodePart10(readFileSync(instances[0]!.path)).dataset,
    );
    expect([sexOnly!.string('PatientSex'), sexOnly!.string('PatientAge')]).toEqual([
      ...['F', undefined],
    ]);
    expect([byDefault!.string('PatientSex'), byDefault!.string('PatientAge')]).toEqual([
      ...['F', '062Y'],
    ]);
  });

  it('finishes a study in flight with the keys of its linkage after a rotation', async () => {
    await gateway.add(1, [anInstance(1)]);
    gateway.sink.fault = new AifiError('OUT_OF_RESOURCES', 'full');
    await gateway.work();
    gateway.sink.fault = undefined;
    gateway.ring = keyRingOf(fakeSiteKeys('site-a', 1), fakeSiteKeys('site-a', 2));
    await gateway.add(2, [anInstance(1)]);
    await gateway.work();
    const [before, after, fresh] = gateway.sink.studies;
    expect(after).toEqual(before);
    expect(fresh!.instances[0]!.sopInstanceUid).not.toBe(before!.instances[0]!.sopInstanceUid);
    expect(gateway.vault.linkage(jobOf(1))!.epoch).toBe(1);
    expect(gateway.vault.linkage(jobOf(2))!.epoch).toBe(2);
  });

  it('does not go on with other keys when those of the linkage are gone', async () => {
    await gateway.add(1, [anInstance(1)]);
    gateway.sink.fault = new AifiError('OUT_OF_RESOURCES', 'full');
    await gateway.work();
    gateway.sink.fault = undefined;
    gateway.ring = keyRingOf(fakeSiteKeys('site-a', 2));
    await gateway.work();
    expect(gateway.states()).toEqual([{ state: 'SELECTED', code: null }]);
    expect(gateway.sink.studies).toHaveLength(1);
  });

  it('gives the same bytes whatever a process that died has left', async () => {
    await gateway.add(1, [anInstance(1), anInstance(2)]);
    gateway.sink.fault = new AifiError('OUT_OF_RESOURCES', 'full');
    await gateway.work();
    const undisturbed = gateway.sink.studies[0];
    // Dead while writing: an unfinished file, and one of other keys that nobody linked.
    await mkdir(gateway.spoolOf(1), { recursive: true });
    await writeFile(join(gateway.spoolOf(1), `.${'0'.repeat(36)}.part`), 'half');
    await writeFile(join(gateway.spoolOf(1), `${'0'.repeat(64)}.dcm`), 'nobody has linked this');
    gateway.sink.fault = undefined;
    await gateway.work();
    expect(gateway.sink.studies[1]).toEqual(undisturbed);
    const { instances } = undisturbed!;
    expect(readdirSync(gateway.spoolOf(1)).sort()).toEqual(
      instances.map(({ sha256 }) => `${sha256}.dcm`).sort(),
    );
  });
});
