/**
 * All targets by name.
 * Decides what `npm run fuzz` runs without a name: everything except the planted bugs, which only
 * prove that bugs are found. A target is loaded when it runs: one that is broken breaks no other.
 */
import { AifiError } from '@aifi/shared-kernel';
import type { FuzzTarget } from '../fuzz-target.js';

type Load = () => Promise<FuzzTarget>;

const LOADERS: Readonly<Record<string, Load>> = {
  'pdu-normaliser': async () => (await import('./pdu-normaliser.js')).pduNormaliserTarget,
  'element-walker': async () => (await import('./element-walker.js')).elementWalkerTarget,
  'associate-request': async () => (await import('./associate-request.js')).associateRequestTarget,
  'command-set': async () => (await import('./command-set.js')).commandSetTarget,
  'dataset-check': async () => (await import('./dataset-check.js')).datasetCheckTarget,
  'associate-accept': async () => (await import('./associate-accept.js')).associateAcceptTarget,
  'pdu-reader': async () => (await import('./pdu-reader.js')).pduReaderTarget,
  'pdu-stream': async () => (await import('./pdu-stream.js')).pduStreamTarget,
  'multipart-body': async () => (await import('./multipart-body.js')).multipartBodyTarget,
  hl7: async () => (await import('./hl7.js')).hl7Target,
  part10: async () => (await import('./part10.js')).part10Target,
  'pseudonymise-header': async () =>
    (await import('./pseudonymise-header.js')).pseudonymiseHeaderTarget,
  'storage-commitment': async () =>
    (await import('./storage-commitment.js')).storageCommitmentTarget,
};

export const TARGET_NAMES: readonly string[] = Object.keys(LOADERS);

export async function findTarget(name: string): Promise<FuzzTarget> {
  const load = Object.hasOwn(LOADERS, name) ? LOADERS[name] : undefined;
  if (load) return load();
  const { PLANTED_TARGETS } = await import('./planted.js');
  const planted = PLANTED_TARGETS.find((target) => target.name === name);
  if (!planted) throw new AifiError('CONFIG_INVALID', `no such fuzz target: ${name}`);
  return planted;
}
