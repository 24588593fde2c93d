/**
 * What must hold of a study after a run, whatever died in between.
 * Decides by the gateway's account and by the PACS itself: the expected end, each object once,
 * every object under the patient of its own hospital and from a job of its own gateway.
 * Source: reliability specification 1 (T-MIS) and 3 (0 lost, 0 duplicated, 0 misdelivered).
 */
import { decodeFileMeta, decodePart10, type DicomDataset } from '@aifi/dicom-core';
import { deviations, type Hospital, type StudyRun } from '@aifi/demo';

/** Contribution Description: what names the job in a result. */
const CONTRIBUTION_DESCRIPTION = 0x0018a003;

/** One line per thing that is wrong; empty when all is well. */
export async function problemsOf(hospital: Hospital, run: StudyRun): Promise<string[]> {
  const { study, seen } = run;
  const products = seen?.products ?? [];
  const told = products.flatMap(({ jobId, results }) => results.map((r) => ({ ...r, jobId })));
  const status = seen?.statusObject ? [seen.statusObject] : [];
  const owned = [...told, ...status].map(({ sopInstanceUid }) => sopInstanceUid);
  const originals = [...study.instances()].map(
    (bytes) => decodeFileMeta(bytes).meta.sopInstanceUid,
  );
  const held = await readAll(hospital, study.studyInstanceUid);
  const patientId = study.identity.attributes['PatientID'];
  const lines = deviations(run);
  for (const uid of [...originals, ...owned]) {
    const count = held.filter((dataset) => dataset.string('SOPInstanceUID') === uid).length;
    if (count !== 1) lines.push(`an object is ${count} times in the PACS`);
  }
  if (held.length !== originals.length + owned.length) lines.push('an object nobody owns up to');
  const roles = told.map(({ role, jobId }) => `${jobId} ${role}`);
  if (new Set(roles).size !== roles.length) lines.push('a result twice');
  if (held.some((dataset) => dataset.string('PatientID') !== patientId)) {
    lines.push('an object of another patient');
  }
  for (const { sopInstanceUid, jobId } of told) {
    const found = held.find((dataset) => dataset.string('SOPInstanceUID') === sopInstanceUid);
    if (found && !contributions(found).includes(jobId)) lines.push('a result of another job');
  }
  return lines.map((line) => `${run.siteId} ${study.name}: ${line}`);
}

async function readAll({ pacs }: Hospital, studyInstanceUid: string): Promise<DicomDataset[]> {
  const datasets: DicomDataset[] = [];
  for (const { id } of await pacs.instancesOf(studyInstanceUid)) {
    datasets.push(decodePart10(await pacs.file(id)).dataset);
  }
  return datasets;
}

const contributions = (dataset: DicomDataset): string =>
  dataset
    .items('ContributingEquipmentSequence')
    .map((item) => item.string(CONTRIBUTION_DESCRIPTION) ?? '')
    .join();
