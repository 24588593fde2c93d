/**
 * The Node version that everything runs on.
 * Decides that a wrong runtime is a refusal at the start, not a surprise later: the locked binary
 * is an optional dependency and its absence would otherwise fall back silently.
 * Source: docs/adr/0007-node-and-nest.md.
 */
import { AifiError } from './aifi-error.js';

export const NODE_MAJOR = 24;

/** Throws CONFIG_INVALID unless `version` (default: this process) has the required major. */
export function assertNodeVersion(version: string = process.versions.node): void {
  if (Number(version.split('.')[0]) !== NODE_MAJOR) {
    throw new AifiError('CONFIG_INVALID', `needs Node ${NODE_MAJOR}, this is ${version}`);
  }
}
