/**
 * Goal: what other de-identifiers leave of a file in which every carrier holds a marker.
 * Method: one planted CT, every tool on the same bytes, a raw search of what it wrote; a carrier
 * counts as left when any of its markers is. The table is printed, and kept with its date in
 * docs/conformance/de-identification-comparison.md.
 */
import { afterAll, describe, expect, it } from '@jest/globals';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodePart10 } from '@aifi/dicom-core';
import { writePseudonymisedInstance } from '@aifi/dicom-deidentification';
import {
  markersIn,
  phantomFile,
  plantMarkers,
  type PlantedObject,
} from '@aifi/dicom-deidentification-check';
import { fakeSiteKeys, hasPeers, temporaryFolder } from '@aifi/shared-testing';
import { TOOLS } from './planted-tools.js';

const folder = temporaryFolder('comparison');
afterAll(() => folder.remove());
const CT = join(import.meta.dirname, '../../../../../shared/data/dicom/small/CT_small.dcm');

interface Row {
  readonly name: string;
  readonly total: number | string;
  readonly text: number | string;
  readonly datesAndUids: number | string;
  readonly codes: string;
}
function rowOf(name: string, bytes: Buffer, planted: PlantedObject): Row {
  const found = new Set(markersIn(bytes, planted.markers));
  const left = planted.carriers.filter(({ markers }) => markers.some((text) => found.has(text)));
  const text = left.filter(({ kind }) => kind === 'text').length;
  return {
    ...{ name, total: left.length, text, datesAndUids: left.length - text },
    codes: codesOf(bytes),
  };
}
function codesOf(bytes: Buffer): string {
  try {
    const items = decodePart10(bytes).dataset.items('DeidentificationMethodCodeSequence');
    return items.map((item) => item.string('CodeValue') ?? '').join(' ') || 'none';
  } catch {
    return 'does not parse';
  }
}

(hasPeers('dcmodify', 'gdcmanon', 'Orthanc') ? describe : describe.skip)('other tools', () => {
  it('leave markers in the file of which the gateway leaves none', async () => {
    const base = join(folder.path, 'base.dcm');
    writeFileSync(base, existsSync(CT) ? readFileSync(CT) : phantomFile('CT'));
    const planted = await plantMarkers(base);
    const input = join(folder.path, 'planted.dcm');
    writeFileSync(input, planted.file);
    const rows: Row[] = [rowOf('as planted', planted.file, planted)];
    for (const [index, tool] of TOOLS.entries()) {
      const scratch = join(folder.path, `tool-${index}`);
      mkdirSync(scratch);
      const output = join(scratch, 'out.dcm');
      try {
        await tool.run(input, output, scratch);
        rows.push(rowOf(`${tool.name} (${tool.how})`, readFileSync(output), planted));
      } catch (error) {
        // Words of the tool: of a made-up patient, and in a test.
        const why = String((error as { stderr?: Buffer }).stderr ?? error)
          .trim()
          .split('\n');
        const none = { total: 'failed', text: '-', datesAndUids: '-', codes: why.at(-1) ?? '' };
        rows.push({ name: `${tool.name} (${tool.how})`, ...none });
      }
    }
    const context = { siteCode: 'SITE-A', keys: fakeSiteKeys() };
    const ours = await writePseudonymisedInstance({
      ...{ sourcePath: input, folder: join(folder.path), context },
    });
    if (!ours.ok) throw new Error(ours.refusal.detail);
    const own = rowOf('AIFI gateway', readFileSync(ours.value.path), planted);
    console.table([...rows, own]);
    expect(rows[0]).toMatchObject({ total: planted.carriers.length });
    expect(own).toMatchObject({ total: 0, text: 0, datesAndUids: 0 });
    for (const row of rows) expect(row.total).not.toBe(0);
    expect(rows.filter(({ total }) => typeof total === 'number').length).toBeGreaterThan(3);
  }, 600_000);
});
