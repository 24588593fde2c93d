/**
 * DeidentificationContext: everything that the pure engine needs besides the dataset.
 * Decides that pseudonyms depend on keys of one hospital only, never on time or chance, so that the
 * same input gives the same bytes again (retry, dedup).
 * Invariant: the keys stay at the gateway. Source: pseudonymisation specification 1.2 (9), 1.3.
 */
import type { DeidentificationContract } from '@aifi/contracts-manifests';
import type { CleanedPixels } from '@aifi/dicom-pixels';
import type { OriginalUid, PseudonymousUid } from '@aifi/shared-kernel';
import type { SiteDeidentification } from './site-deidentification.js';

export interface DeidentificationContext {
  /** Prefix of patient pseudonyms: upper-case letters, digits and hyphens, at most 32. */
  readonly siteCode: string;
  /** 256-bit keys of this hospital, one per purpose. */
  readonly keys: {
    readonly uid: Uint8Array;
    readonly pid: Uint8Array;
    readonly date: Uint8Array;
  };
  /** What the product's contract keeps. @default DEFAULT_CONTRACT */
  readonly contract?: DeidentificationContract | undefined;
  /** Birth dates (DA) that this hospital writes when it knows none, beside the common ones. */
  readonly placeholderBirthDates?: readonly string[] | undefined;
  /** What becomes of an object that says YES in Patient Identity Removed. @default 'refuse' */
  readonly identityRemovedElsewhere?: SiteDeidentification['identityRemovedElsewhere'] | undefined;
  /** `remove` wins over a contract that has dates shifted. @default 'by-contract' */
  readonly dates?: SiteDeidentification['dates'] | undefined;
}

/** Age and sex kept, nothing with a face, dates shifted: what the schema fills in. */
export const DEFAULT_CONTRACT: DeidentificationContract = {
  retain: ['age', 'sex'],
  recognisableVisualFeatures: 'deny',
  dates: 'shift',
};

/** What holds for an object: the product's contract, and the hospital's word on dates. */
export function contractOf({
  contract = DEFAULT_CONTRACT,
  dates,
}: DeidentificationContext): DeidentificationContract {
  return dates === 'remove' ? { ...contract, dates } : contract;
}

/** What was found out about the pixels before the file is written. */
export interface PixelClearance {
  /** True when the pixel gate has looked: only then Burned In Annotation says NO. */
  readonly isExamined: boolean;
  /** Present when regions were blacked out: other pixel data, another SOP Instance UID. */
  readonly cleaned?: CleanedPixels | undefined;
}
/** Claims nothing about the pixels. */
export const NOT_EXAMINED: PixelClearance = { isExamined: false };

/** Every UID that was remapped: what the vault needs for the way back. */
export type UidMap = ReadonlyMap<PseudonymousUid, OriginalUid>;
