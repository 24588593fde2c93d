/**
 * Rules on the study: procedure codes, body part, side and phase, and the catalogue's own list.
 * Decides that the hospital's procedure comes first: where its catalogue maps it, the tags of the
 * images are not asked; where it does not, body part and side are asked of each series.
 * Invariant: no tag tells a phase, so without the catalogue it is missing.
 * Source: governance specification 4.3; features specification (RIS codes before image tags).
 */
import type { DeployedProduct, SeriesRule, StudyRules } from '@aifi/contracts-manifests';
import { isNotOneOf, shown } from './coded-values.js';
import type { ProcedureFact, StudyFacts } from './facts.js';
import { failed, missing, unlessRequested, type Check, type Words } from './verdict.js';

const BODY_PART = 'study.bodyPart';
const SIDE = 'study.side';

/** A catalogue that names products for a procedure wants no other; a request by name overrides. */
export function catalogueCheck({ product }: DeployedProduct, facts: StudyFacts): Check {
  const rule = 'gate.catalogue';
  const named = facts.procedure?.mapped?.products ?? [];
  if (named.length === 0 || named.includes(product)) return { rule };
  const other = failed(rule, 'NO_PRODUCT', {
    en: "the hospital's catalogue names other products for this procedure",
    nl: 'de catalogus van het ziekenhuis noemt andere producten bij deze verrichting',
  });
  return unlessRequested(other, facts.requested.includes(product));
}

/** Rules that the mapped procedure answers, and those that only a procedure can answer. */
export function procedureChecks(
  rules: StudyRules | undefined,
  procedure: ProcedureFact | undefined,
): Check[] {
  const { bodyPart, side, phase, procedureCodes } = rules ?? {};
  const mapped = procedure?.mapped;
  return [
    ...(procedureCodes ? [codesCheck(procedureCodes, procedure)] : []),
    ...(bodyPart && mapped?.bodyPart
      ? [oneOfCheck(BODY_PART, BODY_PART_WORDS, bodyPart.oneOf, mapped.bodyPart)]
      : []),
    ...(side && mapped?.side ? [oneOfCheck(SIDE, SIDE_WORDS, side.oneOf, mapped.side)] : []),
    ...(phase ? [phaseCheck(phase, mapped?.phase)] : []),
  ];
}

/** Rules that the mapped procedure leaves to the tags of each series. */
export function imageRules(
  { bodyPart, side }: StudyRules = {},
  procedure: ProcedureFact | undefined,
): SeriesRule[] {
  const mapped = procedure?.mapped;
  return [
    ...(bodyPart && !mapped?.bodyPart
      ? [{ ...bodyPart, id: BODY_PART, attribute: 'bodyPartExamined' as const }]
      : []),
    ...(side && !mapped?.side ? [{ ...side, id: SIDE, attribute: 'laterality' as const }] : []),
  ];
}

const BODY_PART_WORDS = { en: 'body part', nl: 'lichaamsdeel' };
const SIDE_WORDS = { en: 'side', nl: 'zijde' };
const PHASE_WORDS = { en: 'contrast phase', nl: 'contrastfase' };
const CODE_WORDS = { en: 'procedure code', nl: 'verrichtingcode' };

function codesCheck(
  { oneOf, onMissing }: NonNullable<StudyRules['procedureCodes']>,
  procedure: ProcedureFact | undefined,
): Check {
  const rule = 'study.procedureCodes';
  const codes = procedure?.codes ?? [];
  if (codes.length === 0) return missing(rule, onMissing, CODE_WORDS);
  if (codes.some((code) => oneOf.includes(code))) return { rule };
  // A code of the hospital may be any text: it is not repeated.
  return failed(rule, 'OUT_OF_INTENDED_USE', isNotOneOf(CODE_WORDS, [], oneOf));
}

function phaseCheck(
  { oneOf, onMissing }: NonNullable<StudyRules['phase']>,
  phase: string | undefined,
): Check {
  const rule = 'study.phase';
  return phase
    ? oneOfCheck(rule, PHASE_WORDS, oneOf, phase)
    : missing(rule, onMissing, PHASE_WORDS);
}

/** The catalogue is written by people: capitals do not count. */
function oneOfCheck(rule: string, subject: Words, oneOf: readonly string[], value: string): Check {
  const found = value.trim().toUpperCase();
  if (oneOf.some((one) => one.toUpperCase() === found)) return { rule };
  const attribute = rule === SIDE ? 'laterality' : 'bodyPartExamined';
  return failed(rule, 'OUT_OF_INTENDED_USE', isNotOneOf(subject, shown(attribute, [found]), oneOf));
}
