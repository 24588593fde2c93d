/**
 * Evaluates one deployed product against a study revision and the hospital's word about it.
 * Decides, before anything leaves the hospital, whether the product runs, on which series, and with
 * which codes it says no. Gates in order: objection, site, lifecycle, certificate, catalogue and
 * intended use, images that suffice, study age, entitlement.
 * Invariants: pure; all reasons are returned, not the first; what nobody told is never allowed
 * unless the rule says so; a request by name opens study age and catalogue, nothing else.
 * Source: governance specification 4.3; docs/adr/0025-rules-engine.md.
 */
import type { DeployedProduct } from '@aifi/contracts-manifests';
import { invariant } from '@aifi/shared-kernel';
import type { StudyFacts } from './facts.js';
import {
  entitlementReasons,
  lifecycleReasons,
  needsCertificate,
  type GateContext,
} from './lifecycle.js';
import { patientChecks } from './patient-rules.js';
import { chooseSeries } from './series-choice.js';
import { certificateCheck, dataQualityOf, objectionCheck, studyAgeCheck } from './study-gates.js';
import { catalogueCheck, procedureChecks } from './study-rules.js';
import { attestationsOf, denied, type Check, type Reason, type StudyVerdict } from './verdict.js';

/** Verdict for one product. */
export function evaluateStudy(
  product: DeployedProduct,
  facts: StudyFacts,
  context: GateContext,
): StudyVerdict {
  const objection = [objectionCheck(product, facts)];
  const isCare = needsCertificate(product, context.sitePurpose);
  const certificate = isCare ? [certificateCheck(product, facts)] : [];
  const choice = chooseSeries(product.intendedUse, facts);
  const use = [
    catalogueCheck(product, facts),
    ...patientChecks(product.intendedUse.patient, facts),
    ...procedureChecks(product.intendedUse.study, facts.procedure),
    ...choice.checks,
  ];
  const age = [studyAgeCheck(product, facts)];
  const [first, ...rest] = [
    ...reasonsOf(objection),
    ...lifecycleReasons(product, context).filter(isNotSaidBy(certificate)),
    ...reasonsOf([...certificate, ...use, ...age]),
    ...entitlementReasons(product),
  ];
  const checks = [...objection, ...certificate, ...use, ...age];
  const considered = {
    attestations: attestationsOf(checks),
    notes: checks.flatMap(({ note }) => note ?? []),
    dataQuality: dataQualityOf(facts),
  };
  if (first) return denied([first, ...rest], considered);
  invariant(choice.seriesUid !== undefined, 'a study that is allowed has a series');
  return { allow: true, seriesUid: choice.seriesUid, ...considered };
}

function reasonsOf(checks: readonly Check[]): Reason[] {
  return checks.flatMap(({ reason }) => reason ?? []);
}

/** A certificate that was not valid then and is not now is one reason. */
function isNotSaidBy(checks: readonly Check[]): (reason: Reason) => boolean {
  const isSaid = reasonsOf(checks).some(({ code }) => code === 'CERTIFICATE_INVALID');
  return ({ code, rule }) => !(isSaid && code === 'CERTIFICATE_INVALID' && rule === 'certificate');
}
