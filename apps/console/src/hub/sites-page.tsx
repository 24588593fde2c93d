/** Sites: every connected hospital with its health. Decides nothing. */
import { hubRoutes } from '@aifi/contracts-rest';
import { useAnswer } from '../api/use-answer.js';
import { useWords } from '../frame/language.js';
import { Page } from '../frame/page.js';
import { AnswerView } from '../parts/answer-view.js';
import { SiteTable } from './site-table.js';

export function SitesPage() {
  const { sites } = useWords().hub;
  const answer = useAnswer(hubRoutes.sites, {}, { topics: ['sites', 'studies'] });
  return (
    <Page title={sites.title} lead={sites.lead}>
      <AnswerView answer={answer}>{(data) => <SiteTable sites={data.sites} />}</AnswerView>
    </Page>
  );
}
