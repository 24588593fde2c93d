/** Models: what the hub holds and where it is deployed. Decides nothing. */
import { hubRoutes, type ModelView } from '@aifi/contracts-rest';
import { useAnswer } from '../api/use-answer.js';
import { deploymentTone } from '../format/tones.js';
import { useWords } from '../frame/language.js';
import { Page } from '../frame/page.js';
import { AnswerView } from '../parts/answer-view.js';
import { CodeValue } from '../parts/code-value.js';
import { DataTable, type Column } from '../parts/data-table.js';
import { StateLabel } from '../parts/state-label.js';
import { termOf } from '../words/words.js';

export function ModelsPage() {
  const { models } = useWords().hub;
  const answer = useAnswer(hubRoutes.models, {}, { topics: ['sites', 'status'] });
  return (
    <Page title={models.title} lead={models.lead}>
      <AnswerView answer={answer}>{(data) => <ModelTable rows={data.models} />}</AnswerView>
    </Page>
  );
}

function ModelTable({ rows }: { readonly rows: readonly ModelView[] }) {
  const { hub, terms, frame } = useWords();
  const { models } = hub;
  const columns: readonly Column<ModelView>[] = [
    {
      ...{ key: 'product', header: models.product, isRowHeader: true },
      cell: ({ product, name, label }) => (
        <>
          {name}
          <div className="aifi-dimmed">
            {product}
            {label && ` · ${label}`}
          </div>
        </>
      ),
    },
    { key: 'vendor', header: models.vendor, cell: ({ vendor }) => vendor },
    { key: 'version', header: models.version, cell: ({ version }) => version },
    {
      ...{ key: 'purpose', header: models.purpose },
      cell: ({ purpose }) => termOf(frame.purposes, purpose),
    },
    { key: 'lane', header: models.lane, cell: ({ lane }) => termOf(terms.lanes, lane) },
    {
      ...{ key: 'digest', header: models.digest },
      cell: ({ modelDigest }) => <CodeValue value={modelDigest} label={models.digest} />,
    },
    {
      ...{ key: 'sites', header: models.sites },
      cell: ({ sites }) => (sites.length === 0 ? models.nowhere : <Sites sites={sites} />),
    },
  ];
  return (
    <DataTable
      caption={models.caption}
      columns={columns}
      rows={rows}
      rowKey={({ product, version, modelDigest }) => `${product} ${version} ${modelDigest}`}
      empty={frame.nothing}
      minWidth={900}
    />
  );
}

function Sites({ sites }: Pick<ModelView, 'sites'>) {
  const { terms } = useWords();
  return (
    <ul className="aifi-products">
      {sites.map(({ siteId, state }) => (
        <li key={siteId}>
          {siteId}{' '}
          <StateLabel tone={deploymentTone(state)}>
            {termOf(terms.deploymentStates, state)}
          </StateLabel>
        </li>
      ))}
    </ul>
  );
}
