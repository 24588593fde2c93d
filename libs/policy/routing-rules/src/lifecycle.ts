/**
 * Gates before the intended use: site, purpose, kill switches, lifecycle, certificate, contract.
 * Decides whether a product may run at a site at all, at gateway and hub alike.
 * Invariants: a demonstration product never runs at a clinical site; nothing runs there without a
 * certificate that is valid now and was when the images were made; several reasons all count.
 * Source: governance specification 4.1, 4.2, 4.3; architecture "Purpose".
 */
import {
  stopOf,
  type DeployedProduct,
  type ProductState,
  type ProductStop,
} from '@aifi/contracts-manifests';
import type { Purpose } from '@aifi/shared-kernel';
import { isCertificateValid } from './certificate-validity.js';
import { reasonOf, type Reason, type Words } from './verdict.js';

/** What gateway and hub know of the site beside the study. */
export interface GateContext {
  readonly sitePurpose: Purpose;
  readonly nowMs: number;
  /** @default true: an inactive site is given no products at all */
  readonly siteActive?: boolean | undefined;
  /** Kill switches in force; they may be newer than the state in the rules. @default none */
  readonly stops?: readonly ProductStop[] | undefined;
}
/** The part of a deployed product that these gates look at. */
export type DeployedState = Pick<
  DeployedProduct,
  'product' | 'version' | 'purpose' | 'state' | 'certificate'
>;

/** Site, purpose, kill switches, lifecycle, certificate now, in this order. */
export function lifecycleReasons(product: DeployedState, context: GateContext): Reason[] {
  const { sitePurpose, nowMs, siteActive = true, stops = [] } = context;
  const reasons: Reason[] = [];
  if (!siteActive) reasons.push(reasonOf('SITE_INACTIVE', 'site'));
  if (product.purpose === 'demonstration' && sitePurpose === 'clinical') {
    reasons.push({ code: 'NOT_DEPLOYED', rule: 'purpose', words: DEMONSTRATION });
  }
  const stop = stopOf({ stopped: [...stops] }, product);
  if (stop) reasons.push(reasonOf(stop.code, 'kill switch'));
  // The rules of a product that a kill switch stops say "suspended": its code says more.
  else if (product.state === 'suspended') reasons.push(reasonOf('SUSPENDED', 'lifecycle'));
  const words = needsCertificate(product, sitePurpose) && certificateFault(product, nowMs);
  if (words) reasons.push({ code: 'CERTIFICATE_INVALID', rule: 'certificate', words });
  return reasons;
}

/** Only care needs one; a demonstration product at a clinical site is refused for what it is. */
export function needsCertificate(
  { purpose }: Pick<DeployedState, 'purpose'>,
  sitePurpose: Purpose,
): boolean {
  return purpose === 'clinical' && sitePurpose === 'clinical';
}

const DEMONSTRATION: Words = {
  en: 'a demonstration product is not used for patient care',
  nl: 'een demonstratieproduct wordt niet voor patiëntenzorg gebruikt',
};

/** What is wrong with the certificate now; undefined when it is valid. */
function certificateFault({ certificate }: DeployedState, nowMs: number): Words | undefined {
  if (!certificate) {
    return { en: 'the product has no certificate', nl: 'het product heeft geen certificaat' };
  }
  if (isCertificateValid(certificate, nowMs)) return undefined;
  const { validFrom: from, validTo: to } = certificate;
  return {
    en: `the certificate is valid from ${from} to ${to}, not now`,
    nl: `het certificaat geldt van ${from} tot en met ${to}, nu niet`,
  };
}

const ENTITLEMENT_CODES = {
  'agreement-missing': 'AGREEMENT_MISSING',
  'no-contract': 'NO_CONTRACT',
  'licence-grace-over': 'LICENCE_GRACE_OVER',
} as const satisfies Partial<Record<ProductState, Reason['code']>>;

/** The last gate: may the site have it run. */
export function entitlementReasons({ state }: DeployedState): Reason[] {
  if (state === 'active' || state === 'suspended') return [];
  return [reasonOf(ENTITLEMENT_CODES[state], 'entitlement')];
}
