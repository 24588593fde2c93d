/**
 * Checks that were not run, and why: what a passed verification does not say.
 * Decides by what the verification was given and what is installed. Invariant: fixed words and
 * counts, never a value of a file. Source: pseudonymisation specification 2.2.
 */
import type { CheckId } from './finding.js';
import { installed } from './validators.js';

export interface NotRun {
  readonly checks: readonly CheckId[];
  /** Fixed words. */
  readonly reason: string;
  /** How many files it concerns; absent: all of them. */
  readonly files?: number;
}

/** What one run was given, and what it met. */
export interface RunFacts {
  readonly hasOriginals: boolean;
  readonly hasMarkers: boolean;
  readonly asksValidators: boolean;
  readonly isSet: boolean;
  readonly files: number;
  /** With pixel data of their own: regions were blacked out. */
  readonly cleaned: number;
}

/** Command lines have an end: validators of sets get so many files at a time. */
export const SET_FILES_MAX = 5_000;

export function notRunOf(facts: RunFacts): NotRun[] {
  const { hasOriginals, hasMarkers, cleaned, isSet } = facts;
  const found: NotRun[] = [];
  if (!hasOriginals) {
    const checks = ['text.known', 'uid.mapping', 'date.interval', 'pixels.changed'] as const;
    const reason = 'without the originals nothing is compared with what was received';
    found.push({ checks: [...checks, ...(isSet ? (['set.original'] as const) : [])], reason });
    const kept = 'kept values are not compared with those of the originals';
    found.push({ checks: ['profile.action'], reason: kept });
  } else if (cleaned > 0) {
    const reason = 'pixels outside of blacked out regions are not compared';
    found.push({ checks: ['pixels.changed'], reason, files: cleaned });
  }
  if (!hasMarkers) {
    found.push({ checks: ['marker.found'], reason: 'no texts were given that may not be there' });
  }
  return [...found, ...validatorsNotRun(facts)];
}

function validatorsNotRun({ asksValidators, hasOriginals, isSet, files }: RunFacts): NotRun[] {
  const both = [
    ['validator.object', 'dciodvfy'],
    ['validator.set', 'dcentvfy'],
  ] as const;
  const asked = both.slice(0, isSet ? 2 : 1);
  const found = asked.flatMap(([check, program]): NotRun[] => {
    const isBlind = check === 'validator.object' && !hasOriginals;
    const reason = !asksValidators
      ? 'validators were not asked'
      : isBlind
        ? 'without the originals an error may be theirs'
        : installed(program)
          ? undefined
          : `${program} is not installed`;
    return reason === undefined ? [] : [{ checks: [check], reason }];
  });
  const beyond = files - SET_FILES_MAX;
  if (asksValidators && isSet && beyond > 0 && installed('dcentvfy')) {
    const reason = `dcentvfy is given the first ${SET_FILES_MAX} files`;
    found.push({ checks: ['validator.set'], reason, files: beyond });
  }
  return found;
}
