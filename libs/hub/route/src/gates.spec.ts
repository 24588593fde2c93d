/**
 * Goal: a job runs only when every gate that the hub can see is open, and the first closed one
 * gives the code. Method: one allowed job, changed in one place at a time.
 */
import { describe, expect, it } from '@jest/globals';
import type { IntendedUse, ModelManifest, StudyManifest } from '@aifi/contracts-manifests';
import { REASON_CODES, type ReasonCode, type Sha256, type SiteId } from '@aifi/shared-kernel';
import { evaluateGates, type GateInput } from './gates.js';

const digest = 'd'.repeat(64) as Sha256;
const other = 'e'.repeat(64) as Sha256;

const manifest = {
  product: { id: 'p', version: '1.0.0', modelDigest: digest },
  attestations: [
    { rule: 'modality', verdict: 'allow' },
    { rule: 'sufficiency', verdict: 'allow' },
  ],
} as unknown as StudyManifest;
const model = {
  purpose: 'demonstration',
  artefact: { sha256: digest },
  intendedUse: { series: [{ id: 'modality' }] },
} as unknown as ModelManifest;
const withUse = (use: Partial<IntendedUse>): ModelManifest => ({
  ...model,
  intendedUse: { ...model.intendedUse, ...use },
});
const site = {
  siteId: 'site-a' as unknown as SiteId,
  purpose: 'demonstration',
  state: 'active',
} as const;
const deployment = {
  product: 'p',
  version: '1.0.0',
  modelDigest: digest,
  state: 'active',
} as const;
const nowMs = Date.parse('2026-07-16T10:00:00Z');
const deployments = [deployment];
const allowed: GateInput = { site, manifest, deployments, model, stops: [], nowMs };
const stop = { product: 'p', version: '*', code: 'SUSPENDED', sinceMs: 1 } as const;

const attested = (...attestations: StudyManifest['attestations']): Partial<GateInput> => ({
  manifest: { ...manifest, attestations },
});
const certificate = {
  ...{ number: 'MDR 1', notifiedBody: '0344', class: 'IIa' },
  ...{ validFrom: '2025-01-01', validTo: '2026-07-16' },
} as const;
/** In care: a product with a certificate, and every gate attested. */
const inCare = (change: object = {}): Partial<GateInput> => ({
  site: { ...site, purpose: 'clinical' },
  model: { ...model, purpose: 'clinical', certificate } as unknown as ModelManifest,
  manifest: {
    ...manifest,
    attestations: [
      ...manifest.attestations,
      ...['objection', 'certificate', 'study-age', 'catalogue'].map((gate) => ({
        rule: `gate.${gate}`,
        verdict: 'allow' as const,
      })),
    ],
  },
  ...change,
});
const modality = { rule: 'modality', verdict: 'allow' } as const;

describe(evaluateGates.name, () => {
  it('opens for a deployed product with every rule attested', () => {
    expect(evaluateGates(allowed)).toEqual({ ok: true, value: undefined });
  });

  it('opens in care until the last millisecond of the certificate', () => {
    const lastMs = Date.parse('2026-07-16T21:59:59.999Z');
    expect(evaluateGates({ ...allowed, ...inCare({ nowMs: lastMs }) }).ok).toBe(true);
  });

  const closed: readonly [string, ReasonCode, Partial<GateInput>][] = [
    ['the product is stopped', 'SUSPENDED', { stops: [stop] }],
    [
      'this version is stopped',
      'CERTIFICATE_INVALID',
      { stops: [{ ...stop, version: '1.0.0', code: 'CERTIFICATE_INVALID' }] },
    ],
    ['the site is inactive', 'SITE_INACTIVE', { site: { ...site, state: 'inactive' } }],
    ['nothing is deployed', 'NOT_DEPLOYED', { deployments: [] }],
    ['another version is', 'NOT_DEPLOYED', { deployments: [{ ...deployment, version: '1.0.1' }] }],
    ['it has retired', 'NOT_DEPLOYED', { deployments: [{ ...deployment, state: 'retired' }] }],
    ['the package is missing', 'NOT_DEPLOYED', { model: undefined }],
    ['another model', 'NOT_DEPLOYED', { deployments: [{ ...deployment, modelDigest: other }] }],
    [
      'a demonstration at a clinical site',
      'NOT_DEPLOYED',
      { site: { ...site, purpose: 'clinical' } },
    ],
    ['it is suspended', 'SUSPENDED', { deployments: [{ ...deployment, state: 'suspended' }] }],
    ['a denial', 'OUT_OF_INTENDED_USE', attested({ rule: 'modality', verdict: 'deny' })],
    ['an open review', 'OUT_OF_INTENDED_USE', attested({ rule: 'modality', verdict: 'review' })],
    ['a rule that nobody attested', 'OUT_OF_INTENDED_USE', attested()],
    [
      'a denial with its code',
      'STUDY_TOO_OLD',
      attested(modality, { rule: 'gate.study-age', verdict: 'deny', code: 'STUDY_TOO_OLD' }),
    ],
    [
      'a rule on the patient that nobody attested',
      'OUT_OF_INTENDED_USE',
      { model: withUse({ patient: { sex: { oneOf: ['F'], onMissing: 'deny' } } }) },
    ],
    ['a gate of care that nobody attested', 'OUT_OF_INTENDED_USE', inCare({ manifest })],
    [
      'a certificate that is over now',
      'CERTIFICATE_INVALID',
      inCare({ nowMs: Date.parse('2026-07-16T22:00:00Z') }),
    ],
    [
      'no certificate in care',
      'CERTIFICATE_INVALID',
      inCare({ model: { ...model, purpose: 'clinical' } as unknown as ModelManifest }),
    ],
    [
      'too little extent',
      'COVERAGE_INSUFFICIENT',
      attested(modality, { rule: 'sufficiency', verdict: 'deny' }),
    ],
  ];
  it.each(closed)('closes when %s: %s', (_, code, change) => {
    const verdict = evaluateGates({ ...allowed, ...change });
    expect(verdict).toMatchObject({ ok: false, refusal: { code } });
    expect(REASON_CODES).toHaveProperty(code);
  });

  it('takes the code of the first gate and names all of them', () => {
    const verdict = evaluateGates({
      ...allowed,
      site: { ...site, state: 'inactive' },
      deployments: [{ ...deployment, state: 'suspended' }],
    });
    expect(verdict).toEqual({
      ok: false,
      refusal: { code: 'SITE_INACTIVE', detail: 'SITE_INACTIVE: site; SUSPENDED: lifecycle' },
    });
  });
});
