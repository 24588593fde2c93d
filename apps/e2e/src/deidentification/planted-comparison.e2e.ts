/**
 * Goal: what other de-identifiers leave of a file in which every carrier holds a marker is what
 * docs/conformance/de-identification-comparison.md says, and the gateway leaves nothing.
 * Method: one planted CT, every tool on the same bytes, a raw search of what it wrote; a carrier
 * counts as left when any of its markers is. A tool that is there and fails, fails the test.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
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
import { readComparison, type ComparisonRow } from './comparison-document.js';
import { TOOLS, type Tool } from './planted-tools.js';

const folder = temporaryFolder('comparison');
afterAll(() => folder.remove());
const CT = join(import.meta.dirname, '../../../../../shared/data/dicom/small/CT_small.dcm');
const hasRealBase = existsSync(CT);

type Row = ComparisonRow;
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

/** What a tool left, or that it cannot be had here; a tool that fails throws. */
async function rowOfTool(tool: Tool, planted: PlantedObject): Promise<Row | undefined> {
  const ready = tool.ensure?.() ?? { ok: true };
  if (!ready.ok && process.env['CI'] !== 'true') return undefined;
  const scratch = join(folder.path, tool.name.replaceAll(' ', '-'));
  mkdirSync(scratch);
  const output = join(scratch, 'out.dcm');
  await tool.run(input, output, scratch);
  return rowOf(tool.name, readFileSync(output), planted);
}
/** Another version than the one that was measured may leave something else. */
const isAsMeasured = ({ name, version }: Tool): boolean =>
  hasRealBase && (version === undefined || name.endsWith(` ${version()}`));

const input = join(folder.path, 'planted.dcm');
const document = readComparison();
const inDocument = (name: string): Row | undefined =>
  document.rows.find((row) => row.name === name);

(hasPeers('dcmodify', 'gdcmanon', 'Orthanc', 'openssl') ? describe : describe.skip)(
  'a file with a marker in every carrier',
  () => {
    let planted: PlantedObject;
    beforeAll(async () => {
      const base = join(folder.path, 'base.dcm');
      writeFileSync(base, hasRealBase ? readFileSync(CT) : phantomFile('CT'));
      planted = await plantMarkers(base);
      writeFileSync(input, planted.file);
    });

    it('has as many carriers and markers as the document says', () => {
      const all = rowOf('as planted', planted.file, planted);
      expect(all).toMatchObject(document.planted);
      expect(planted.carriers.length).toBe(document.planted.total);
      expect(planted.markers.length).toBe(document.markers);
    });

    it('is left with none by the gateway, as the document says', async () => {
      const context = { siteCode: 'SITE-A', keys: fakeSiteKeys() };
      const ours = await writePseudonymisedInstance({
        ...{ sourcePath: input, folder: folder.path, context },
      });
      if (!ours.ok) throw new Error(ours.refusal.detail);
      const own = rowOf('AIFI gateway', readFileSync(ours.value.path), planted);
      expect(own).toMatchObject({ total: 0, text: 0, datesAndUids: 0 });
      expect(own).toEqual(inDocument(own.name));
    });

    it('is left with markers by every other tool, with those of the document', async () => {
      const rows: Row[] = [];
      for (const tool of TOOLS) {
        const row = await rowOfTool(tool, planted);
        if (!row) continue;
        rows.push(row);
        expect(row.total).toBeGreaterThan(0);
        if (isAsMeasured(tool)) expect(row).toEqual(inDocument(tool.name));
      }
      console.table(rows);
      // Those of the system packages are there, or this suite is skipped.
      expect(rows.length).toBeGreaterThanOrEqual(3);
      const measured = document.rows.map(({ name }) => name).sort();
      expect(measured).toEqual(['AIFI gateway', ...TOOLS.map(({ name }) => name)].sort());
    }, 600_000);
  },
);
