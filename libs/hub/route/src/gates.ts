/**
 * Gates: may this job run, as far as the hub can see.
 * Decides in the order of the governance specification: site, deployment, model, purpose,
 * lifecycle, kill switches, attested verdicts. All reasons are found, the first decides the code.
 * Invariants: pure; what nobody attested is not allowed; a job runs only the model it pinned (H9).
 * Source: governance specification 4.3; architecture "Purpose".
 */
import {
  stopOf,
  type ModelManifest,
  type ProductStop,
  type StudyManifest,
} from '@aifi/contracts-manifests';
import { ok, refuse, type ReasonCode, type Result } from '@aifi/shared-kernel';
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
}
interface Denial {
  readonly code: ReasonCode;
  /** Name of the gate or rule; never a value of the study. */
  readonly gate: string;
}

/** Fits the detail of an outcome (outcome-manifest.ts). */
const DETAIL_LENGTH_MAX = 200;

/** Ok, or the code of the first closed gate with the names of all of them. */
export function evaluateGates(input: GateInput): Result<void> {
  const denials = [...deploymentDenials(input), ...attestationDenials(input)];
  const first = denials[0];
  if (!first) return ok(undefined);
  const detail = denials.map(({ code, gate }) => `${code}: ${gate}`).join('; ');
  return refuse(first.code, detail.slice(0, DETAIL_LENGTH_MAX));
}

function* deploymentDenials(input: GateInput): Generator<Denial> {
  const { site, manifest, deployments, model, stops } = input;
  if (site.state !== 'active') yield { code: 'SITE_INACTIVE', gate: 'site' };
  const { id, version, modelDigest } = manifest.product;
  const stop = stopOf({ stopped: [...stops] }, { product: id, version });
  if (stop) yield { code: stop.code, gate: 'kill switch' };
  const deployment = deployments.find((d) => d.product === id && d.version === version);
  if (!deployment || deployment.state === 'retired' || !model) {
    yield { code: 'NOT_DEPLOYED', gate: 'deployment' };
    return;
  }
  if (deployment.modelDigest !== modelDigest || model.artefact.sha256 !== modelDigest) {
    yield { code: 'NOT_DEPLOYED', gate: 'model digest' };
  }
  if (model.purpose === 'demonstration' && site.purpose !== 'demonstration') {
    yield { code: 'NOT_DEPLOYED', gate: 'purpose' };
  }
  if (deployment.state === 'suspended') yield { code: 'SUSPENDED', gate: 'lifecycle' };
}

function* attestationDenials({ manifest, model }: GateInput): Generator<Denial> {
  for (const { rule, verdict } of manifest.attestations) {
    // Only the gateway sees the geometry: its verdict on it has a name of its own.
    const code = rule === 'sufficiency' ? 'COVERAGE_INSUFFICIENT' : 'OUT_OF_INTENDED_USE';
    if (verdict !== 'allow') yield { code, gate: `attested ${rule}` };
  }
  const attested = new Set(manifest.attestations.map((attestation) => attestation.rule));
  for (const { id } of model?.intendedUse.series ?? []) {
    if (!attested.has(id)) yield { code: 'OUT_OF_INTENDED_USE', gate: `not attested ${id}` };
  }
}
