/**
 * Rules publisher: the signed routing rules of one site.
 * Decides what a gateway may send at all: every product deployed at its site, with the intended use
 * of its package; one that a kill switch stops is suspended in them.
 * Invariant: the sequence rises when and only when the content changes.
 * Source: architecture 2 (select); governance specification 4.2, 4.3.
 */
import type { KeyObject } from 'node:crypto';
import {
  encodeManifest,
  routingRulesSchema,
  signManifest,
  stopOf,
  type DeployedProduct,
  type ModelManifest,
  type RoutingRules,
} from '@aifi/contracts-manifests';
import { canonicalJson, invariant, sha256Hex, type Clock } from '@aifi/shared-kernel';
import {
  listDeployments,
  stopsOfSite,
  type Deployment,
  type Site,
  type Sql,
} from '@aifi/hub-database';

/** Package of a product version; undefined when the hub does not have it. */
export type FindModel = (product: string, version: string) => ModelManifest | undefined;

export interface PublisherDependencies {
  readonly findModel: FindModel;
  readonly signingKey: KeyObject;
  readonly clock: Clock;
}

/** Writes new rules for the site of the transaction when what they say has changed. */
export async function publishRules(
  sql: Sql,
  site: Site,
  { findModel, signingKey, clock }: PublisherDependencies,
): Promise<void> {
  const stopped = await stopsOfSite(sql);
  const deployments = (await listDeployments(sql))
    .filter((d) => d.state !== 'retired')
    .map((d) => (stopOf({ stopped }, d) ? { ...d, state: 'suspended' as const } : d));
  const products = site.state === 'active' ? deployments.map((d) => describe(d, findModel)) : [];
  const contentSha256 = sha256Hex(canonicalJson({ purpose: site.purpose, products }));
  // The lock on the site lets only one process at a time see and raise the sequence.
  await sql.rows('SELECT site_id FROM site FOR UPDATE');
  const latest = await sql.row<{ sequence: string; content_sha256: string }>(
    'SELECT sequence, content_sha256 FROM routing_rules ORDER BY sequence DESC LIMIT 1',
  );
  if (latest?.content_sha256 === contentSha256) return;
  const rules: RoutingRules = {
    schema: 'aifi.routing-rules.v1',
    sequence: Number(latest?.sequence ?? 0) + 1,
    issuedAtMs: clock.nowMs(),
    purpose: site.purpose,
    products,
  };
  const bytes = encodeManifest(routingRulesSchema, rules);
  await sql.run(
    `INSERT INTO routing_rules
       (site_id, sequence, content_sha256, rules, rules_sha256, signature, issued_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7)`,
    site.siteId,
    rules.sequence,
    contentSha256,
    bytes,
    sha256Hex(bytes),
    signManifest(bytes, signingKey),
    new Date(rules.issuedAtMs),
  );
}

function describe(deployment: Deployment, findModel: FindModel): DeployedProduct {
  const model = findModel(deployment.product, deployment.version);
  invariant(model && deployment.state !== 'retired', 'a deployed product has its package');
  return deployedProduct({ ...deployment, state: deployment.state }, model);
}

/** A deployment in the words of the rules. */
export function deployedProduct(
  deployment: Pick<DeployedProduct, 'product' | 'version' | 'modelDigest' | 'state'>,
  model: ModelManifest,
): DeployedProduct {
  const { product, version, modelDigest, state } = deployment;
  const { name, label, purpose, lane, intendedUse } = model;
  const { certificate, maxStudyAgeHours, studyAgeOnMissing, manualOnly, deidentification } = model;
  return {
    ...{ product, name, version, modelDigest, label, purpose, state, lane, intendedUse },
    // What is not said is left out: rules without it read at a gateway of an older release.
    ...(certificate && { certificate }),
    ...(maxStudyAgeHours !== undefined && { maxStudyAgeHours }),
    ...(studyAgeOnMissing && { studyAgeOnMissing }),
    ...(manualOnly && { manualOnly }),
    ...(deidentification && { deidentification }),
  };
}
