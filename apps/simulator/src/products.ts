/**
 * Two products: one in each lane.
 * Decides what the rules of a schedule ask for: CT goes to the acute one, MR to the routine one.
 */
import type { DeployedProduct, RoutingRules } from '@aifi/contracts-manifests';
import { sha256Hex, type Sha256 } from '@aifi/shared-kernel';

const product = (id: string, modality: string, lane: 'acute' | 'routine'): DeployedProduct => ({
  ...{ product: id, name: id, version: '1.0.0', label: 'RESEARCH', lane },
  modelDigest: sha256Hex(id),
  purpose: 'demonstration',
  state: 'active',
  studyAgeOnMissing: 'allow',
  intendedUse: {
    series: [{ id: 'modality', attribute: 'modality', oneOf: [modality], onMissing: 'deny' }],
    instancesMin: 1,
  },
});
const rules: RoutingRules = {
  ...{ schema: 'aifi.routing-rules.v1', sequence: 1, issuedAtMs: 1, purpose: 'demonstration' },
  products: [product('bleeding', 'CT', 'acute'), product('volumetry', 'MR', 'routine')],
};
export const RULES = { rules, sha256: 'c'.repeat(64) as Sha256 };
export const productOf = (modality: 'CT' | 'MR'): string =>
  modality === 'CT' ? 'bleeding' : 'volumetry';
