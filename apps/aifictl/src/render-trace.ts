/**
 * Trace in plain text: one study, its products, every hop, and what happens next.
 * Decides what a person reads first: the state of each product in words, then the hops.
 * Invariant: made from the document of `--json` alone.
 */
import type { FilesTrace, GatewayJob, HubJob, StudyTrace } from '@aifi/contracts-rest';
import type { TraceDocument, TracedStudy } from './documents.js';
import { faultWords } from './fault-words.js';
import { hopsOf, type Hop } from './hops.js';
import { columns, count, dimse, shortDigest, size, Times } from './plain-values.js';
import { refusalLines } from './render-status.js';

type TracedJob = TracedStudy['jobs'][number];

export function renderTrace(document: TraceDocument, timeZone: string): string {
  const { studies, hubJobs, unreachable } = document;
  const blocks = [
    ...studies.map((study) => studyLines(study, timeZone)),
    ...hubJobs.map((job) => hubJobLines(job, timeZone)),
    ...(document.found ? [] : [notFoundLines(document, timeZone)]),
    ...unreachable.map(({ role, url, why }) => [`! the ${role} at ${url} ${why}`]),
  ];
  return `${blocks.map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

function studyLines({ gateway, trace, jobs, next }: TracedStudy, timeZone: string): string[] {
  const { received, files, journal } = trace;
  const times = new Times(timeZone, received.firstAtMs);
  const from = received.callingAeTitles.join(', ');
  const conflicts = received.conflicts > 0 ? `, ${received.conflicts} sent twice differently` : '';
  const arrived = `${times.exact(received.firstAtMs)} to ${times.exact(received.lastAtMs)}`;
  const ofStudy = journal.filter(({ jobId }) => jobId === null);
  return [
    `Study ${trace.studyInstanceUid} at ${trace.siteId} (${gateway})`,
    `  ${trace.modality ?? 'unknown modality'}, revision ${trace.revision}, ` +
      `${times.dated(received.firstAtMs)}, times in ${timeZone}`,
    `  received ${arrived} from ${from}: ${count(received.instances, 'instance')}, ` +
      `${size(received.bytes)}${conflicts}`,
    `  kept: ${filesWords(files, false)}`,
    ...hopLines(hopsOf(ofStudy, undefined, times), times),
    ...(next === null ? [] : [`  next: ${next}`]),
    ...trace.jobs.flatMap((job, i) => ['', ...jobLines({ job, traced: jobs[i]!, trace, times })]),
    ...statusObjectLines(trace, times),
  ];
}

interface OneJob {
  readonly job: GatewayJob;
  readonly traced: TracedJob;
  readonly trace: StudyTrace;
  readonly times: Times;
}

function jobLines({ job, traced, trace, times }: OneJob): string[] {
  const journal = trace.journal.filter(({ jobId }) => jobId === job.jobId);
  const late = job.outcomes.some(({ state }) => state === 'LATE');
  return [
    `  ${job.product} ${job.version}, job ${job.jobId}, revision ${job.revision}, ${job.lane}`,
    `  state: ${traced.state}`,
    ...(traced.next === null ? [] : [`  next: ${traced.next}`]),
    ...(late ? ['  a result came after the end: it is kept and not used'] : []),
    ...hopLines(hopsOf(journal, traced.hub ?? undefined, times), times),
    ...uploadLines(job),
    ...job.deliveries.map((one) => `    ${one.role}: ${deliveryWords(one)}`),
    `    kept: ${keptWords(job)}`,
  ];
}

function uploadLines({ upload }: GatewayJob): string[] {
  if (!upload) return [];
  const { attempts, acknowledged, objects, bytes, manifestSha256, inputDigest } = upload;
  return [
    `    upload: ${count(attempts, 'attempt')}, ${acknowledged} of ` +
      `${count(objects, 'object')} acknowledged, ${size(bytes)}, manifest sha256 ` +
      `${shortDigest(manifestSha256)}, input sha256 ${shortDigest(inputDigest)}`,
  ];
}

type Delivered = Omit<GatewayJob['deliveries'][number], 'index' | 'role'>;

const DELIVERY_WORDS: Readonly<Record<string, string>> = {
  QUEUED: 'to be stored in the PACS',
  STORED: 'accepted by the PACS, not listed yet',
  VERIFIED: 'in the PACS',
  DEAD: 'refused by the PACS',
  SUPERSEDED: 'replaced by a newer one before it was sent',
};

function deliveryWords({ state, dimseStatus, attempts, lastFault, ...object }: Delivered): string {
  // Once the PACS has accepted it, what is counted are the looks for it.
  const isAccepted = state === 'STORED' || state === 'VERIFIED';
  const tries = isAccepted ? count(attempts, 'look') : count(attempts, 'attempt');
  const fault = lastFault && state !== 'VERIFIED' ? `, last fault ${faultWords(lastFault)}` : '';
  const status = dimseStatus === null ? '' : `, C-STORE ${dimse(dimseStatus)}`;
  return (
    `${DELIVERY_WORDS[state] ?? state}${status}, ${tries}${fault}, ` +
    `SOP Instance ${object.sopInstanceUid}, sha256 ${shortDigest(object.sha256)}`
  );
}

function statusObjectLines({ statusObjects }: StudyTrace, times: Times): string[] {
  if (statusObjects.length === 0) return [];
  const lines = statusObjects.map(
    (one) => `    issue ${one.issue} of ${times.exact(one.createdAtMs)}: ${deliveryWords(one)}`,
  );
  return ['', '  status object of the study', ...lines];
}

/** Where the bytes are. Nothing uploaded and an end: nothing has left the hospital. */
function keptWords({ files, upload, terminalAtMs }: GatewayJob): string {
  if (!upload) {
    return terminalAtMs === null
      ? 'nothing made yet'
      : 'nothing left the hospital for this product';
  }
  return files.map((one) => filesWords(one, one.folder === 'spool')).join('; ');
}

/** Spool files go when the hub has the study; all others must stay. */
function filesWords({ folder, rows, files, bytes }: FilesTrace, mayGo: boolean): string {
  const total = `${folder} ${files} of ${count(rows, 'file')}`;
  const missing = files < rows && !mayGo ? `, ${rows - files} MISSING` : '';
  const gone = files < rows && mayGo ? ', the rest is no longer owed to the hub' : '';
  return `${total}${bytes > 0 ? ` (${size(bytes)})` : ''}${missing}${gone}`;
}

function hopLines(hops: readonly Hop[], times: Times): string[] {
  const rows = hops.map(({ atMs, where, stage, words }) => [
    times.exact(atMs),
    where,
    stage,
    words,
  ]);
  return columns(rows).map((line) => `    ${line}`);
}

function hubJobLines(job: HubJob, timeZone: string): string[] {
  const times = new Times(timeZone, job.times.openedAtMs);
  return [
    `Job ${job.jobId} of ${job.siteId} at the hub (no gateway that was asked knows it)`,
    `  ${job.product} ${job.version}, revision ${job.revision}, ${job.lane}, ` +
      `${times.dated(job.times.openedAtMs)}, times in ${timeZone}`,
    `  state at the hub: ${job.state}${job.code ? `, ${faultWords(job.code)}` : ''}`,
    ...hopLines(hopsOf([], job, times), times),
  ];
}

function notFoundLines({ id, refusals }: TraceDocument, timeZone: string): string[] {
  return [
    `No peer that was asked knows ${id}.`,
    'A study that was refused at the door has no row: its sender got the answer and still has it.',
    ...(refusals.length === 0 ? [] : ['Refused lately:', ...refusalLines(refusals, timeZone)]),
  ];
}
