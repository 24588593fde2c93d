/**
 * Gates: may this job run, as far as the hub can see.
 * Decides with the engine of the gateway, in the same order: site, purpose, kill switches,
 * lifecycle, certificate now; then whether the job fits the deployment, and the verdicts that the
 * gateway attested. All reasons are found, the first decides the code.
 * Invariants: pure; what nobody attested is not allowed; a job runs only the model it pinned (H9).
 * Source: governance specification 4.3; architecture "Purpose"; docs/adr/0025-rules-engine.md.
 */
import type { ModelManifest, ProductStop, StudyManifest } from '@aifi/contracts-manifests';
import { ok, refuse, type ReasonCode, type Result } from '@aifi/shared-kernel';
import {
  lifecycleReasons,
  needsCertificate,
  requiredAttestations,
} from '@aifi/policy-routing-rules';
import type { Deployment, Site } from '@aifi/hub-database';

export interface GateInput {
  readonly site: Site;
  readonly manifest: StudyManifest;
  /** Deployments of the site. */
  readonly deployments: readonly Deployment[];
  /** The package of the pinned product and version; undefined when the hub does not have it. */
  readonly model: ModelManifest | undefined;
  /** Kill switches that are on at the site. */
  readonly stops: readonly ProductStop[];
  readonly nowMs: number;
}
export interface Denial {
  readonly code: ReasonCode;
  /** Name of the gate or rule; never a value of the study. */
  readonly gate: string;
}

/** Fits the detail of an outcome (outcome-manifest.ts). */
const DETAIL_LENGTH_MAX = 200;
/** Gates that close without knowing the product. */
const OF_EVERY_PRODUCT: ReadonlySet<string> = new Set(['site', 'kill switch']);

/** Ok, or the code of the first closed gate with the names of all of them. */
export function evaluateGates(input: GateInput): Result<void> {
  const denials = closedGates(input);
  const first = denials[0];
  if (!first) return ok(undefined);
  const detail = denials.map(({ code, gate }) => `${code}: ${gate}`).join('; ');
  return refuse(first.code, detail.slice(0, DETAIL_LENGTH_MAX));
}

/** Every gate that is closed, in order. */
export function closedGates(input: GateInput): Denial[] {
  return [...deploymentDenials(input), ...attestationDenials(input)];
}

function* deploymentDenials(input: GateInput): Generator<Denial> {
  const { site, manifest, deployments, model, stops, nowMs } = input;
  const { id: product, version, modelDigest } = manifest.product;
  const found = deployments.find((d) => d.product === product && d.version === version);
  const deployment = found?.state === 'retired' ? undefined : found;
  const isKnown = deployment !== undefined && model !== undefined;
  const reasons = lifecycleReasons(
    {
      ...{ product, version, purpose: model?.purpose ?? site.purpose },
      state: deployment?.state === 'suspended' ? 'suspended' : 'active',
      certificate: model?.certificate,
    },
    { sitePurpose: site.purpose, siteActive: site.state === 'active', stops, nowMs },
  );
  for (const { code, rule } of reasons) {
    if (isKnown || OF_EVERY_PRODUCT.has(rule)) yield { code, gate: rule };
  }
  if (!isKnown) {
    yield { code: 'NOT_DEPLOYED', gate: 'deployment' };
  } else if (deployment.modelDigest !== modelDigest || model.artefact.sha256 !== modelDigest) {
    yield { code: 'NOT_DEPLOYED', gate: 'model digest' };
  }
}

function* attestationDenials({ manifest, model, site }: GateInput): Generator<Denial> {
  for (const { rule, verdict, code } of manifest.attestations) {
    // A gateway of an older release gives no code: it had a name of its own for the geometry only.
    const unnamed = rule === 'sufficiency' ? 'COVERAGE_INSUFFICIENT' : 'OUT_OF_INTENDED_USE';
    if (verdict !== 'allow') yield { code: code ?? unnamed, gate: `attested ${rule}` };
  }
  // One that refused has not judged what depends on it, such as the extent of no series.
  const isRefused = manifest.attestations.some(({ verdict }) => verdict !== 'allow');
  if (isRefused || !model) return;
  const attested = new Set(manifest.attestations.map((attestation) => attestation.rule));
  const isCare = needsCertificate(model, site.purpose);
  for (const rule of requiredAttestations(model.intendedUse, { isCare })) {
    if (!attested.has(rule)) yield { code: 'OUT_OF_INTENDED_USE', gate: `not attested ${rule}` };
  }
}
