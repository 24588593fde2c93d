/**
 * Facts: what the rules may know of a study revision and of the hospital's word about it.
 * Decides the whole input of the engine, so that a stored study can be judged again by other rules.
 * Invariants: no name, number or date of a patient: an age is already an age at the study, and an
 * objection has no owner here; what nobody said is absent, never a guess.
 * Units: mm. Source: governance specification 4.3.
 */
import type { RuleAttribute } from '@aifi/contracts-manifests';

/** What the rules may know of one series. */
export interface SeriesFacts {
  readonly seriesUid: string;
  /** Values per attribute of the contract; absent or empty: the images do not say. */
  readonly attributes: Readonly<Partial<Record<RuleAttribute, readonly string[]>>>;
  readonly instanceCount: number;
  /** Extent along the slice normal; undefined when the geometry does not tell. @unit mm */
  readonly coverageMm: number | undefined;
  /** Largest of the series; undefined when one image does not say. @unit mm */
  readonly sliceThicknessMm?: number | undefined;
}

/** Age of the patient on the day of the study. */
export type AgeFact =
  | {
      readonly kind: 'known';
      /** Completed; months in all, only where they can be known. */
      readonly years: number;
      readonly months?: number | undefined;
      readonly from: 'birth-date' | 'patient-age';
    }
  /** Nobody says; a birth date that stands for "unknown"; birth date and age contradict. */
  | { readonly kind: 'missing' | 'placeholder' | 'contradiction' };

/** What a patient can object to. */
export const OBJECTION_KINDS = ['ai-in-own-care', 'secondary-use', 'sharing'] as const;
export type ObjectionKind = (typeof OBJECTION_KINDS)[number];

/** A procedure of the hospital's catalogue in the words of the rules. */
export interface MappedProcedure {
  readonly bodyPart?: string | undefined;
  readonly side?: 'L' | 'R' | 'B' | 'U' | undefined;
  readonly phase?: string | undefined;
  /** Products that the hospital wants for it; empty: it leaves that to the intended use. */
  readonly products: readonly string[];
}
export interface ProcedureFact {
  /** `scheme:code`, as the order or the images name it. */
  readonly codes: readonly string[];
  readonly from: 'order' | 'images';
  /** Absent: the catalogue does not know any of the codes. */
  readonly mapped?: MappedProcedure | undefined;
}

export interface StudyFacts {
  readonly series: readonly SeriesFacts[];
  readonly age: AgeFact;
  readonly sex: 'F' | 'M' | 'O' | undefined;
  readonly objections: readonly ObjectionKind[];
  readonly procedure: ProcedureFact | undefined;
  /** Study date and time by the hospital's clock; undefined where the images do not say. */
  readonly acquiredAtMs: number | undefined;
  /** When the first image of the study was received. */
  readonly receivedAtMs: number;
  /** Products that a person, an AE title or an order asked for by name. */
  readonly requested: readonly string[];
}
