/**
 * Rules that a gateway must have attested before the hub runs a product.
 * Decides what "not attested" means: each rule of the intended use by its name, and in care
 * the gates that only the gateway can see.
 * Invariant: what a product does not ask is not required, so that a gateway of an older release,
 * which cannot be given newer rules, still counts. Source: governance specification 4.3.
 */
import type { IntendedUse } from '@aifi/contracts-manifests';

/**
 * For a demonstration, a gateway of an older release may still attest no gates. In care it cannot:
 * the rules hold a certificate, which it does not read.
 */
const GATES_OF_CARE = ['gate.objection', 'gate.certificate', 'gate.study-age', 'gate.catalogue'];

export function requiredAttestations(
  use: IntendedUse,
  { isCare }: { readonly isCare: boolean },
): string[] {
  const { series, patient = {}, study = {}, sliceThicknessMaxMm } = use;
  return [
    ...series.map(({ id }) => id),
    ...namesIn('patient', patient),
    ...namesIn('study', study),
    ...(sliceThicknessMaxMm === undefined ? [] : ['images.sliceThickness']),
    ...(isCare ? GATES_OF_CARE : []),
  ];
}

function namesIn(group: string, rules: object): string[] {
  const asked = Object.entries(rules).filter(([, rule]) => rule !== undefined);
  return asked.map(([name]) => `${group}.${name}`);
}
