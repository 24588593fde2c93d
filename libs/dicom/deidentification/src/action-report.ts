/**
 * ActionReport: what was done with every attribute, for those who account for it.
 * Decides the words of the account; there are no values in it, so that it may be shown and kept.
 * Source: pseudonymisation specification 1.2 (8); PS3.15 E.1 (action codes).
 */
export type ReportedAction =
  'removed' | 'emptied' | 'replaced' | 'shifted' | 'remapped' | 'cleaned' | 'kept';

/**
 * Told once per attribute that was received. `path` holds the tags of the enclosing sequences,
 * outermost first; it is the same array for all attributes of an item, and not to be changed. What
 * stands in a removed sequence is not told.
 */
export type ActionReport = (tag: number, path: readonly number[], action: ReportedAction) => void;
