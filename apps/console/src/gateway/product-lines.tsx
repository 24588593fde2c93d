/**
 * ProductLines: what each product did with a study, and why not.
 * Decides that a study for which no product asked says so: silence is a defect.
 */
import type { GatewayStudyView } from '@aifi/contracts-rest';
import { jobTone, partTone } from '../format/tones.js';
import { useLanguage } from '../frame/language.js';
import { useSession } from '../frame/session.js';
import { PageLink } from '../parts/page-link.js';
import { StateLabel } from '../parts/state-label.js';
import { termOf } from '../words/words.js';

export function ProductLines({ study }: { readonly study: GatewayStudyView }) {
  const { words } = useLanguage();
  const { studies } = words.gateway;
  const { products, state, statusObject } = study;
  if (products.length === 0) {
    return <span>{state === 'DONE' ? studies.noProducts : studies.undecided}</span>;
  }
  return (
    <ul className="aifi-products">
      {products.map((product) => (
        <ProductLine key={product.jobId} product={product} />
      ))}
      {statusObject && (
        <li className="aifi-dimmed">
          {studies.statusObject(statusObject.issue)}:{' '}
          {termOf(words.terms.deliveryStates, statusObject.state)}
        </li>
      )}
    </ul>
  );
}

type Product = GatewayStudyView['products'][number];
function ProductLine({ product }: { readonly product: Product }) {
  const { language, words } = useLanguage();
  const { study } = words.gateway;
  const { acts } = useSession();
  const why = product.words?.[language] ?? product.code;
  const waits = product.state === 'QUARANTINED' && product.code === 'QUARANTINED_PIXELS';
  return (
    <li>
      <span className="aifi-nowrap">
        {product.product} <span className="aifi-dimmed">{product.version}</span>
      </span>{' '}
      <StateLabel tone={jobTone(product.state)}>
        {termOf(words.terms.jobStates, product.state)}
      </StateLabel>
      {why && <div>{why}</div>}
      {product.detail && <div className="aifi-dimmed">{product.detail}</div>}
      {waits && acts.includes('pixel-holds.read') && (
        <PageLink
          to={`/pixel-holds/job/${product.jobId}`}
          label={`${study.look}: ${product.product}`}
        >
          {study.look}
        </PageLink>
      )}
      {product.results.map(({ role, state, sopInstanceUid }) => (
        <div key={sopInstanceUid} className="aifi-dimmed">
          {termOf(study.roles, role)}:{' '}
          {partTone(state) === 'bad' ? (
            <StateLabel tone="bad">{termOf(words.terms.deliveryStates, state)}</StateLabel>
          ) : (
            termOf(words.terms.deliveryStates, state)
          )}
        </div>
      ))}
    </li>
  );
}
