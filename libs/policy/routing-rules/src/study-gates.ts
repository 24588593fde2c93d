/**
 * Gates on the study as a whole: objection, certificate on its date, and its age on arrival.
 * Decides that the age is counted when the first image arrives: a live study that had to wait at
 * the gateway, and a late image of it, are not too old, while a migration of a PACS is.
 * Invariants: images that do not say when they were made are never taken for new; an objection
 * stops a product whoever asked for it. Source: governance specification 4.3.
 */
import { MAX_STUDY_AGE_HOURS_DEFAULT, type DeployedProduct } from '@aifi/contracts-manifests';
import { isCertificateValid } from './certificate-validity.js';
import type { ObjectionKind, StudyFacts } from './facts.js';
import {
  failed,
  missing,
  reasonOf,
  unlessRequested,
  type Check,
  type DataQuality,
} from './verdict.js';

/** @unit ms */
const HOUR_MS = 3_600_000;
/** A clock of a modality may be hours off; one that is more than a day ahead tells nothing. */
const AHEAD_MAX_MS = 24 * HOUR_MS;
const ACQUIRED = { en: 'date and time of the study', nl: 'datum en tijd van het onderzoek' };

/**
 * AI in own care, and sharing, as every product runs outside the hospital, stop every product;
 * secondary use stops what is not care: demonstration and research.
 */
export function objectionCheck({ purpose }: DeployedProduct, { objections }: StudyFacts): Check {
  const stops = (kind: ObjectionKind): boolean =>
    kind !== 'secondary-use' || purpose === 'demonstration';
  const rule = 'gate.objection';
  return objections.some(stops) ? { rule, reason: reasonOf('OBJECTION', rule) } : { rule };
}

/** At a clinical site: the certificate must have been valid when the images were made. */
export function certificateCheck({ certificate }: DeployedProduct, facts: StudyFacts): Check {
  const rule = 'gate.certificate';
  if (!certificate) {
    return failed(rule, 'CERTIFICATE_INVALID', {
      en: 'the product has no certificate',
      nl: 'het product heeft geen certificaat',
    });
  }
  const acquiredAtMs = acquired(facts);
  if (acquiredAtMs === undefined) return missing(rule, 'deny', ACQUIRED);
  if (isCertificateValid(certificate, acquiredAtMs)) return { rule };
  return failed(rule, 'CERTIFICATE_INVALID', {
    en: 'the certificate was not valid when the images were made',
    nl: 'het certificaat was niet geldig toen de beelden werden gemaakt',
  });
}

export function studyAgeCheck(product: DeployedProduct, facts: StudyFacts): Check {
  return unlessRequested(ageCheck(product, facts), facts.requested.includes(product.product));
}

function ageCheck(product: DeployedProduct, facts: StudyFacts): Check {
  const rule = 'gate.study-age';
  const limit = product.maxStudyAgeHours ?? MAX_STUDY_AGE_HOURS_DEFAULT;
  const acquiredAtMs = acquired(facts);
  if (acquiredAtMs === undefined) {
    return missing(rule, product.studyAgeOnMissing ?? 'deny', ACQUIRED);
  }
  const hours = (facts.receivedAtMs - acquiredAtMs) / HOUR_MS;
  if (hours <= limit) return { rule };
  // Rounded up: a study over the limit must not read as one at the limit.
  const found = Math.ceil(hours * 10) / 10;
  const dutch = (value: number): string => String(value).replace('.', ',');
  return failed(rule, 'STUDY_TOO_OLD', {
    en: `study ${found} h old on arrival > ${limit} h`,
    nl: `onderzoek bij ontvangst ${dutch(found)} u oud > ${dutch(limit)} u`,
  });
}

/** Faults in what the images say, told whether or not a rule asks for it. */
export function dataQualityOf(facts: StudyFacts): DataQuality[] {
  const { age, acquiredAtMs } = facts;
  return [
    ...(age.kind === 'contradiction' ? (['age-contradiction'] as const) : []),
    ...(age.kind === 'placeholder' ? (['birth-date-placeholder'] as const) : []),
    ...(acquiredAtMs !== undefined && acquired(facts) === undefined
      ? (['acquired-in-future'] as const)
      : []),
  ];
}

function acquired({ acquiredAtMs, receivedAtMs }: StudyFacts): number | undefined {
  if (acquiredAtMs === undefined || acquiredAtMs > receivedAtMs + AHEAD_MAX_MS) return undefined;
  return acquiredAtMs;
}
