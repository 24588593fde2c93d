/**
 * All targets by name.
 * Decides what `npm run fuzz` runs without a name: everything except the planted bugs, which only
 * prove that bugs are found.
 */
import { AifiError } from '@aifi/shared-kernel';
import type { FuzzTarget } from '../fuzz-target.js';
import { associateAcceptTarget } from './associate-accept.js';
import { associateRequestTarget } from './associate-request.js';
import { commandSetTarget } from './command-set.js';
import { datasetCheckTarget } from './dataset-check.js';
import { elementWalkerTarget } from './element-walker.js';
import { part10Target } from './part10.js';
import { pduNormaliserTarget } from './pdu-normaliser.js';
import { pduReaderTarget } from './pdu-reader.js';
import { pduStreamTarget } from './pdu-stream.js';
import { PLANTED_TARGETS } from './planted.js';
import { storageCommitmentTarget } from './storage-commitment.js';

export const TARGETS: readonly FuzzTarget[] = [
  pduNormaliserTarget,
  elementWalkerTarget,
  associateRequestTarget,
  commandSetTarget,
  datasetCheckTarget,
  associateAcceptTarget,
  pduReaderTarget,
  pduStreamTarget,
  part10Target,
  storageCommitmentTarget,
];

export function findTarget(name: string): FuzzTarget {
  const found = [...TARGETS, ...PLANTED_TARGETS].find((target) => target.name === name);
  if (!found) throw new AifiError('INVALID_ARGUMENT', `no such fuzz target: ${name}`);
  return found;
}
