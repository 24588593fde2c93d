/**
 * Findings: what a verification tells, and all that it tells.
 * Decides the names of the checks. Invariant: a finding holds a running number, a check and a tag
 * path, never a value of a file, because what failed the check may be somebody's name.
 * Source: pseudonymisation specification 1.2 (8), 2.2.
 */

export const CHECKS = [
  'file.malformed',
  'file.preamble',
  'file.meta',
  'marker.identity-removed',
  'marker.method',
  'marker.codes',
  'marker.dates',
  'marker.burned-in',
  'marker.recognisable',
  'marker.equipment',
  'structure.private',
  'structure.repeating-group',
  'structure.forbidden',
  'structure.unknown',
  'structure.representation',
  'structure.not-empty',
  'text.encoding',
  'text.national-number',
  'text.date',
  'text.known',
  'uid.form',
  'uid.mapping',
  'uid.reference',
  'date.form',
  'date.interval',
  'profile.action',
  'profile.pseudonym',
  'profile.descriptor',
  'set.duplicate',
  'set.patient',
  'set.study',
  'set.original',
  'pixels.changed',
  'marker.found',
  'validator.object',
  'validator.set',
] as const;
export type CheckId = (typeof CHECKS)[number];

/** A failed check inside one object. */
export interface ObjectFinding {
  readonly check: CheckId;
  /** `(gggg,eeee)`, sequence items as `(gggg,eeee)[2].(gggg,eeee)`; '' for the whole object. */
  readonly path: string;
  /** A warning asks for a look; only errors fail a verification. */
  readonly severity: 'error' | 'warning';
}
export interface Finding extends ObjectFinding {
  /** Running number in the order of the file names, from 1; 0 for the whole set. */
  readonly file: number;
}

export function tagText(tag: number): string {
  const hex = tag.toString(16).padStart(8, '0').toUpperCase();
  return `(${hex.slice(0, 4)},${hex.slice(4)})`;
}
export const failed = (check: CheckId, path = ''): ObjectFinding => ({
  check,
  path,
  severity: 'error',
});
export const doubtful = (check: CheckId, path = ''): ObjectFinding => ({
  check,
  path,
  severity: 'warning',
});
