/**
 * Collection: what is true after a run, written into its history.
 * Decides where each fact comes from: ends and journal from the gateway's own interface, audit
 * records from its audit store, objects and their patients from the PACS, and what a model saw from
 * the boxes in its structured report. Invariant: nothing is judged here.
 */
import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import { decodePart10, type DicomDataset } from '@aifi/dicom-core';
import { AifiError } from '@aifi/shared-kernel';
import type { ChaosSite } from './chaos-site.js';
import type { History, PacsObject } from './history.js';
import { everything } from './pacs-jobs.js';
import { readBoxes, type Box, type PixelIdentity } from './pixel-code.js';

/** Contribution Description: what names the job in a result. */
const CONTRIBUTION_DESCRIPTION = 0x0018a003;
/** A closed line of four corners: x and y of five points. */
const BOX_NUMBERS = 10;

export async function collect(site: ChaosSite, history: History): Promise<void> {
  const { siteId } = site.hospital;
  const studies = new Set(
    history.of('sent').flatMap((sent) => (sent.site === siteId ? [sent.studyUid] : [])),
  );
  for (const studyUid of studies) await collectAccount(site, studyUid, history);
  collectAudit(site, history);
  const { pacs } = site.hospital;
  for (const { id, order } of await everything(pacs)) {
    const { dataset } = decodePart10(await pacs.file(id));
    history.add({ kind: 'object', ...objectOf(dataset, siteId, order) });
  }
}

async function collectAccount(site: ChaosSite, studyUid: string, history: History): Promise<void> {
  const { gateway, siteId } = site.hospital;
  const trace = await gateway.trace(studyUid);
  if (!trace) return;
  const { received, revision, jobs, statusObjects, journal } = trace;
  history.add({
    ...{ kind: 'account', site: siteId, studyUid, revision },
    ...{ instances: received.instances, open: received.open, conflicts: received.conflicts },
    jobs: jobs.map(({ jobId, product, revision: of, state, code, deliveries }) => ({
      ...{ jobId, product, revision: of, state, code },
      deliveries: deliveries.map(({ role, issue, index, sopInstanceUid, state: at }) => ({
        ...{ role, issue, index, sopInstanceUid, state: at },
      })),
    })),
    statusObjects: statusObjects.map(({ issue, revision: of, sopInstanceUid, state }) => ({
      ...{ issue, revision: of, sopInstanceUid, state },
    })),
    journal: journal.map(({ stage, event, jobId }) => ({ stage, event, jobId })),
  });
}

/** Records of the act `result.store`, by job and by what was stored. */
function collectAudit({ hospital }: ChaosSite, history: History): void {
  const database = new DatabaseSync(join(hospital.gatewayFolder, 'access.db'), { readOnly: true });
  try {
    const rows = database
      .prepare(
        `SELECT json_extract(record, '$.correlationId') AS jobId,
           json_extract(record, '$.detail.event') AS event, COUNT(*) AS count
         FROM audit_record WHERE act = 'result.store' GROUP BY 1, 2`,
      )
      .all() as { jobId: string; event: string; count: number }[];
    for (const { jobId, event, count } of rows) {
      history.add({ kind: 'audited', site: hospital.siteId, jobId, event, count: Number(count) });
    }
  } finally {
    database.close();
  }
}

function objectOf(dataset: DicomDataset, site: string, order: number): PacsObject {
  const text = (keyword: string): string => dataset.string(keyword) ?? '';
  return {
    ...{ site, order, studyUid: text('StudyInstanceUID') },
    sopInstanceUid: text('SOPInstanceUID'),
    patientId: text('PatientID'),
    issuer: text('IssuerOfPatientID'),
    jobText: dataset
      .items('ContributingEquipmentSequence')
      .map((item) => item.string(CONTRIBUTION_DESCRIPTION) ?? '')
      .join(' '),
    oracle: oracleOf(dataset),
  };
}

/** What the regions of a structured report say, image by image. */
export function oracleOf(report: DicomDataset): (PixelIdentity | null)[] {
  const boxes = new Map<string, Box[]>();
  for (const region of regionsOf(report)) {
    const [image] = region.items('ContentSequence').flatMap((item) => item.items(REFERENCE));
    const uid = image?.string('ReferencedSOPInstanceUID');
    if (!uid) throw new AifiError('DICOM_MALFORMED', 'a region of a report is on no image');
    boxes.set(uid, [...(boxes.get(uid) ?? []), boxOf(region.numbers('GraphicData'))]);
  }
  return [...boxes.values()].map((own) => readBoxes(own) ?? null);
}

const REFERENCE = 'ReferencedSOPSequence';

/** Closed lines with one image each, at any depth. */
function* regionsOf(item: DicomDataset): Generator<DicomDataset> {
  for (const content of item.items('ContentSequence')) {
    if (content.string('ValueType') === 'SCOORD') yield content;
    yield* regionsOf(content);
  }
}

function boxOf(line: readonly number[]): Box {
  if (line.length !== BOX_NUMBERS) {
    throw new AifiError('DICOM_MALFORMED', 'a region that is no box');
  }
  const [xs, ys] = [0, 1].map((odd) => line.filter((_, at) => at % 2 === odd)) as [
    number[],
    number[],
  ];
  return [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
}
