/**
 * Where the keep-lists do otherwise than Table E.1-1 has it, and why.
 * Decides nothing: a test finds every difference between keep-lists and table and wants one line
 * here for each; the conformance statement prints the lines.
 * Source: PS3.15 E.1.1, E.3.6; pseudonymisation specification 1.2, 1.3.
 */
export interface Deviation {
  /** Keywords; 'not listed' for all rows that no keep-list names. */
  readonly attributes: string;
  readonly asked: string;
  readonly done: string;
  readonly reason: string;
  readonly clause: string;
}

export const PROFILE_DEVIATIONS: readonly Deviation[] = [
  {
    attributes: 'not listed',
    asked: 'Z, D, U or a choice of these',
    done: 'removed',
    reason:
      'default deny: an attribute that no listed object needs goes whole, which tells less than an ' +
      'empty or dummy value; that no object lacks what it needs is shown by a second validator',
    clause: 'PS3.15 E.1.1, note 5',
  },
  {
    attributes: 'PatientName StudyID',
    asked: 'Z',
    done: 'pseudonym',
    reason:
      'a value that is not empty is allowed and consistent; archives merge studies that have none',
    clause: 'PS3.15 E.1.1 (Z: zero length or a dummy value)',
  },
  {
    attributes: 'StudyTime SeriesTime AcquisitionTime ContentTime',
    asked: 'C (modified dates)',
    done: 'kept',
    reason: 'dates move by whole days, so the time of day stays and intervals stay exact',
    clause: 'PS3.15 E.3.6',
  },
];
