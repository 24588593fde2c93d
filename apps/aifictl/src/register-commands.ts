/**
 * register and vault: results of a product for a recall, one result, and the erasure of a patient.
 * Decides the columns, and that the number of a patient is read from a file, never from the command
 * line, where other users and the shell's history would see it.
 * Invariants: no patient attribute in any output; an erasure carries a key of its own.
 */
import { gatewayRoutes, type RegisteredResultView } from '@aifi/contracts-rest';
import { ask, askPages, tell } from './api-client.js';
import { UsageError, type Command } from './command-line.js';
import type { RegisterDocument, VaultErasureDocument } from './documents.js';
import { columns, Times } from './plain-values.js';
import { faultOf } from './server-fault.js';
import type { Terminal } from './terminal.js';

const { recall, registeredResult, patientCode, erasePatient } = gatewayRoutes;
const PATH = recall.path.slice(1);
const LIMIT = 100;

export async function recallDocument(
  { server, options }: Command,
  { fetch }: Terminal,
): Promise<RegisterDocument> {
  const { product, version, limit } = options;
  const filter = { product, version, limit: Number(limit ?? LIMIT) };
  const address = { url: server, path: PATH };
  const answer = await askPages(fetch, address, recall.response, filter);
  const { items, nextCursor } = answer.kind === 'found' ? answer.document : NOTHING;
  return {
    ...{ schema: 'aifictl.register.v1', server, items: [...items] },
    ...{ more: nextCursor !== null, fault: faultOf(answer) },
  };
}
const NOTHING = { items: [], nextCursor: null };

export async function showDocument(
  { id, server }: Command,
  { fetch }: Terminal,
): Promise<RegisterDocument> {
  const path = `${PATH}/${encodeURIComponent(id)}`;
  const answer = await ask(fetch, { url: server, path }, registeredResult.response);
  const items = answer.kind === 'found' ? [answer.document] : [];
  return { schema: 'aifictl.register.v1', server, items, more: false, fault: faultOf(answer) };
}

/** `vault code`: the code of the patient; `vault erase`: the erasure under it. */
export async function erasureDocument(
  { name, server, options }: Command,
  terminal: Terminal,
): Promise<VaultErasureDocument> {
  const patient = patientOf(options['patient-file'] ?? '', terminal);
  const schema = 'aifictl.vault-erasure.v1';
  if (name === 'vault code') {
    const order = { body: patient, key: terminal.newKey() };
    const address = { url: server, path: patientCode.path.slice(1) };
    const answer = await tell(terminal.fetch, address, order, patientCode.response);
    const found = answer.kind === 'found' ? answer.document : UNKNOWN;
    return { schema, server, ...found, erased: null, fault: faultOf(answer) };
  }
  const { reason, results = 'keep' } = options;
  const order = { body: { ...patient, reason, results }, key: terminal.newKey() };
  const address = { url: server, path: erasePatient.path.slice(1) };
  const answer = await tell(terminal.fetch, address, order, erasePatient.response);
  const fault = faultOf(answer);
  if (answer.kind !== 'found') return { schema, server, ...UNKNOWN, erased: null, fault };
  const { code, ...erased } = answer.document;
  return { schema, server, ...UNKNOWN, code, erased, fault };
}
const UNKNOWN = { code: null, studies: null, studiesWithoutIssuer: null };

interface Patient {
  readonly patientId: string;
  readonly issuer: string | null;
}
/** First line the number, second line the issuer where there are several. Throws UsageError. */
export function patientOf(path: string, { files }: Terminal): Patient {
  const [patientId = '', issuer = ''] = textOf(path, files)
    .split(/\r?\n/)
    .map((line) => line.trim());
  if (patientId === '' || patientId.length > 64 || issuer.length > 64) {
    throw new UsageError('--patient-file has the patient number in its first line');
  }
  return { patientId, issuer: issuer === '' ? null : issuer };
}
function textOf(path: string, files: Terminal['files']): string {
  try {
    return files.readText(path);
  } catch {
    throw new UsageError('the file of --patient-file does not read');
  }
}

export function renderRegister(document: RegisterDocument, timeZone: string): string {
  const { items, fault, server, more } = document;
  if (fault !== null) return `! ${server} ${fault}\n`;
  if (items.length === 0) return 'none\n';
  const times = new Times(timeZone, 0);
  const rows = items.map((one: RegisteredResultView) => [
    times.dated(one.registeredAtMs),
    one.product,
    one.productVersion,
    one.studyInstanceUid,
    one.studyDate ?? '-',
    one.sopInstanceUid,
    `${one.revision}/${one.issue}`,
    one.modelDigest.slice(0, 12),
    one.jobId,
  ]);
  const titles = [`stored (${timeZone})`, 'product', 'version', 'study', 'study date', 'result'];
  const table = columns([[...titles, 'rev/issue', 'model', 'job'], ...rows]);
  return `${[...table, ...(more ? ['there are more: --limit'] : [])].join('\n')}\n`;
}

export function renderErasure({
  server,
  code,
  studies,
  studiesWithoutIssuer: others,
  erased,
  fault,
}: VaultErasureDocument): string {
  if (fault !== null) return `! ${server} ${fault}\n`;
  if (erased === null) {
    const more = others ? `! of this number without issuer: ${others}, erased on their own\n` : '';
    return `code ${code}, studies in the vault: ${studies}\n${more}`;
  }
  return `erased: linkages ${erased.jobs}, results ${erased.results}\n`;
}
