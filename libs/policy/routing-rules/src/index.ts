/** Pure evaluation of signed routing rules: the same engine at gateway and hub. */
export * from './certificate-validity.js';
export * from './evaluate-study.js';
export * from './facts.js';
export {
  entitlementReasons,
  lifecycleReasons,
  needsCertificate,
  type DeployedState,
  type GateContext,
} from './lifecycle.js';
export { judgeNegative, startsEarly, type NegativeVerdict } from './negative-requires.js';
export * from './patient-age.js';
export { requiredAttestations } from './required-attestations.js';
export { satisfies } from './series-rules.js';
export {
  reasonOf,
  type Allowed,
  type DataQuality,
  type Denied,
  type Note,
  type Reason,
  type StudyVerdict,
  type Words,
} from './verdict.js';
