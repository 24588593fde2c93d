/**
 * Goal: the rules say everything that a manifest says of who may be analysed, and nothing that it
 * leaves unsaid, so that a gateway of an older release can read them.
 */
import { describe, expect, it } from '@jest/globals';
import { deployedProductSchema, type ModelManifest } from '@aifi/contracts-manifests';
import type { Sha256 } from '@aifi/shared-kernel';
import { deployedProduct } from './rules-publisher.js';

const deployment = {
  ...{ product: 'p', version: '1.0.0', modelDigest: 'd'.repeat(64) as Sha256 },
  state: 'active',
} as const;
const said = {
  ...{ name: 'P', label: 'TEST', purpose: 'demonstration', lane: 'acute' },
  intendedUse: {
    series: [{ id: 'm', attribute: 'modality', oneOf: ['CT'], onMissing: 'deny' }],
    instancesMin: 1,
  },
};
const more = {
  certificate: {
    ...{ number: 'MDR 1', class: 'IIb', validFrom: '2025-01-01', validTo: '2030-01-01' },
  },
  ...{ maxStudyAgeHours: 48, studyAgeOnMissing: 'allow' },
  deidentification: { retain: [], recognisableVisualFeatures: 'deny', dates: 'shift' },
};
const publish = (manifest: object) =>
  deployedProduct(deployment, {
    ...{ vendor: 'not for gateways', timeoutMs: 1, ...manifest },
  } as unknown as ModelManifest);

describe(deployedProduct.name, () => {
  it('leaves out what the manifest does not say', () => {
    expect(publish(said)).toEqual({ ...deployment, ...said });
  });
  it('publishes certificate, limit of age and contract, as a gateway reads them', () => {
    const published = publish({ ...said, ...more });
    expect(published).toEqual({ ...deployment, ...said, ...more });
    expect(deployedProductSchema.parse(published)).toEqual(published);
  });
});
