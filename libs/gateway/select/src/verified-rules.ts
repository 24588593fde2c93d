/**
 * What select decides by: the rules in force, the site, and what the hub has stopped since.
 * Decides nothing; shared by everything that decides.
 */
import type { ProductStop, RoutingRules } from '@aifi/contracts-manifests';
import type { Purpose, Sha256 } from '@aifi/shared-kernel';
import type { HospitalWord } from './hospital-word.js';

/** The rules in force, already verified against the hub's key. */
export interface VerifiedRules {
  readonly rules: RoutingRules;
  readonly sha256: Sha256;
}
export interface SiteContext {
  readonly purpose: Purpose;
  /** Kill switches that were heard; newer than the rules. @default none */
  readonly stops?: (() => readonly ProductStop[]) | undefined;
  /** Calling AE titles whose studies are acute. @default none */
  readonly acuteSenders?: ReadonlySet<string> | undefined;
  /** @default the tables of this gateway */
  readonly word?: HospitalWord | undefined;
}
