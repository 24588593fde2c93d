/**
 * Series facts: what the rules may know of each series, from the header rows of a revision.
 * Decides which instances count: those of this revision or an earlier one.
 * Units: mm; frame: patient LPS (PS3.3 C.7.6.2.1.1).
 */
import { coverageMm, type SlicePlacement } from '@aifi/dicom-pixels';
import type { InstanceHeader, Sql } from '@aifi/gateway-database';
import type { SeriesFacts } from '@aifi/policy-routing-rules';

interface HeaderRow {
  readonly series_uid: string;
  readonly sop_class_uid: string;
  readonly header: string;
}

export function readSeriesFacts(sql: Sql, studyId: number, revision: number): SeriesFacts[] {
  const rows = sql.all<HeaderRow>(
    `SELECT series_uid, sop_class_uid, header FROM instance
     WHERE study_id = ? AND revision <= ? ORDER BY instance_id`,
    studyId,
    revision,
  );
  const bySeries = Map.groupBy(rows, (row) => row.series_uid);
  return [...bySeries].map(([seriesUid, instances]) => seriesFacts(seriesUid, instances));
}

function seriesFacts(seriesUid: string, instances: readonly HeaderRow[]): SeriesFacts {
  const headers = instances.map((row) => JSON.parse(row.header) as InstanceHeader);
  const first = headers[0] ?? {};
  const values = (value: string | undefined): readonly string[] => (value ? [value] : []);
  return {
    seriesUid,
    instanceCount: instances.length,
    coverageMm: coverageMm(headers.flatMap(placement)),
    attributes: {
      modality: values(first.modality),
      sopClassUid: [...new Set(instances.map((row) => row.sop_class_uid))],
      seriesDescription: values(first.seriesDescription),
      protocolName: values(first.protocolName),
      bodyPartExamined: values(first.bodyPartExamined),
      imageType: first.imageType ?? [],
    },
  };
}

function placement(header: InstanceHeader): SlicePlacement[] {
  const { imageOrientationPatient, imagePositionPatient, sliceThicknessMm } = header;
  if (!imageOrientationPatient || !imagePositionPatient) return [];
  return [{ imageOrientationPatient, imagePositionPatient, sliceThicknessMm }];
}
