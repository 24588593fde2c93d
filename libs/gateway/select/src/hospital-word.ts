/**
 * HospitalWord: what the hospital's own systems say of a study, as select asks for it.
 * Decides the questions: the order, what the patient objects to, and the procedure in the words of
 * the rules. Invariants: asked in the transaction that decides, by keys and never by a number or a
 * name. Source: governance specification 4.3 (objection first; RIS codes before image tags).
 */
import { mappedProcedureOf } from '@aifi/gateway-catalogue';
import { objectionsOf } from '@aifi/gateway-consent';
import type { Sql } from '@aifi/gateway-database';
import { orderOf } from '@aifi/gateway-orders';
import type { MappedProcedure, ObjectionKind } from '@aifi/policy-routing-rules';

export interface StudyOrder {
  /** `scheme:code`. */
  readonly codes: readonly string[];
  readonly priority: 'acute' | 'routine' | undefined;
  readonly patientKey?: string | undefined;
}
export interface HospitalWord {
  readonly orderOf: (
    sql: Sql,
    by: { readonly accessionKey: string | undefined; readonly studyUid: string },
  ) => StudyOrder | undefined;
  readonly objectionsOf: (
    sql: Sql,
    patient: { readonly patientKey: string; readonly atMs: number },
  ) => readonly ObjectionKind[];
  readonly mappedProcedureOf: (sql: Sql, codes: readonly string[]) => MappedProcedure | undefined;
}

/** From the tables of this gateway. */
export const HOSPITAL_WORD: HospitalWord = { orderOf, objectionsOf, mappedProcedureOf };
