/**
 * Series facts: what the rules may know of each series, from the header rows of a revision.
 * Decides how the images of a series speak with one voice: what one of them says is said, a slice
 * is as thick as the thickest, and where one image is silent about that nothing is known.
 * Units: mm; frame: patient LPS (PS3.3 C.7.6.2.1.1).
 */
import { coverageMm, type SlicePlacement } from '@aifi/dicom-pixels';
import type { RuleAttribute } from '@aifi/contracts-manifests';
import type { InstanceHeader } from '@aifi/gateway-database';
import type { SeriesFacts } from '@aifi/policy-routing-rules';

export interface HeaderRow {
  readonly series_uid: string;
  readonly sop_class_uid: string;
  readonly header: InstanceHeader;
}

/** Attributes that a header has under the same name. */
const ATTRIBUTES = [
  'modality',
  'seriesDescription',
  'protocolName',
  'bodyPartExamined',
  'imageType',
  'laterality',
  'viewPosition',
  'manufacturer',
  'manufacturerModelName',
  'convolutionKernel',
  'contrastBolusAgent',
  'patientPosition',
] as const satisfies (RuleAttribute & keyof InstanceHeader)[];
/** Those in which the images of one series differ by nature: views, sides, original and derived. */
const OF_EVERY_IMAGE: ReadonlySet<RuleAttribute> = new Set(['laterality', 'viewPosition']);

export function seriesFactsOf(rows: readonly HeaderRow[]): SeriesFacts[] {
  const bySeries = Map.groupBy(rows, (row) => row.series_uid);
  return [...bySeries].map(([seriesUid, instances]) => seriesFacts(seriesUid, instances));
}

function seriesFacts(seriesUid: string, instances: readonly HeaderRow[]): SeriesFacts {
  const headers = instances.map(({ header }) => header);
  const attributes: Partial<Record<RuleAttribute, readonly string[]>> = {
    sopClassUid: [...new Set(instances.map((row) => row.sop_class_uid))],
  };
  for (const name of ATTRIBUTES) {
    const saying = OF_EVERY_IMAGE.has(name) ? headers : firstSaying(headers, name);
    attributes[name] = [...new Set(saying.flatMap((header) => header[name] ?? []))];
  }
  const thickness = headers.map(({ sliceThicknessMm }) => sliceThicknessMm);
  return {
    seriesUid,
    instanceCount: instances.length,
    coverageMm: coverageMm(headers.flatMap(placement)),
    sliceThicknessMm: thickness.some((mm) => mm === undefined)
      ? undefined
      : thickness.reduce<number>((most, mm) => Math.max(most, mm!), 0),
    attributes,
  };
}

function firstSaying(headers: readonly InstanceHeader[], name: keyof InstanceHeader) {
  const first = headers.find((header) => header[name] !== undefined);
  return first ? [first] : [];
}

function placement(header: InstanceHeader): SlicePlacement[] {
  const { imageOrientationPatient, imagePositionPatient, sliceThicknessMm } = header;
  if (!imageOrientationPatient || !imagePositionPatient) return [];
  return [{ imageOrientationPatient, imagePositionPatient, sliceThicknessMm }];
}
