/**
 * Which series of the PACS a routing rule could have selected.
 * Decides with the same engine that selects, on what a PACS tells of a series; a rule about
 * anything else is taken as fulfilled, so that a study is named once too often rather than missed.
 * Invariant: pure. Source: reliability specification 2 (T-REC), H3 and H5.
 */
import type { DeployedProduct, IntendedUse } from '@aifi/contracts-manifests';
import { satisfies, type SeriesFacts } from '@aifi/policy-routing-rules';
import type { Purpose } from '@aifi/shared-kernel';
import type { PacsSeries } from './study-finder.js';

/** Products that could take this series; one that is suspended owes the hospital an answer too. */
export function productsFor(
  products: readonly DeployedProduct[],
  series: PacsSeries,
  purpose: Purpose,
): string[] {
  const facts = factsOf(series);
  return products
    .filter((product) => product.purpose === 'clinical' || purpose === 'demonstration')
    .filter(({ intendedUse }) => couldTake(intendedUse, facts))
    .map(({ product }) => product);
}

/** False when no product takes any of these modalities: its series need not be asked for. */
export function isWorthAsking(
  products: readonly DeployedProduct[],
  modalities: readonly string[],
  purpose: Purpose,
): boolean {
  const unknown = { seriesUid: '', description: undefined, protocol: undefined };
  const seriesOf = (modality: string | undefined): PacsSeries => ({
    ...unknown,
    ...{ bodyPart: undefined, instances: undefined, modality },
  });
  const asked = modalities.length === 0 ? [undefined] : modalities;
  return asked.some((one) => productsFor(products, seriesOf(one), purpose).length > 0);
}

function factsOf(series: PacsSeries): SeriesFacts {
  const { seriesUid, modality, description, protocol, bodyPart, instances } = series;
  return {
    seriesUid,
    instanceCount: instances ?? Number.MAX_SAFE_INTEGER,
    coverageMm: undefined,
    attributes: {
      ...(modality !== undefined && { modality: [modality] }),
      ...(description !== undefined && { seriesDescription: [description] }),
      ...(protocol !== undefined && { protocolName: [protocol] }),
      ...(bodyPart !== undefined && { bodyPartExamined: [bodyPart] }),
    },
  };
}

/** Without rules on what a PACS did not tell, and without the extent of the images. */
function couldTake({ series, instancesMin }: IntendedUse, facts: SeriesFacts): boolean {
  const known = series.filter(({ attribute }) => facts.attributes[attribute] !== undefined);
  return facts.instanceCount >= instancesMin && satisfies(known, facts);
}
