/** Overview: jobs by state and the sites at a glance. Decides nothing. */
import { SimpleGrid, Text } from '@mantine/core';
import { hubRoutes } from '@aifi/contracts-rest';
import { useAnswer } from '../api/use-answer.js';
import { useWords } from '../frame/language.js';
import { Page } from '../frame/page.js';
import { AnswerView } from '../parts/answer-view.js';
import { Card } from '../parts/card.js';
import { PageLink } from '../parts/page-link.js';
import { StateCounts } from '../parts/state-counts.js';
import { SiteTable } from './site-table.js';

export function OverviewPage() {
  const { overview } = useWords().hub;
  const status = useAnswer(hubRoutes.status, {}, { topics: ['status', 'studies'] });
  const sites = useAnswer(hubRoutes.sites, {}, { topics: ['sites', 'studies'] });
  return (
    <Page title={overview.title} lead={overview.lead}>
      <SimpleGrid cols={{ base: 1, lg: 2 }}>
        <Card title={overview.jobs}>
          <AnswerView answer={status}>
            {({ jobs, version, roles }) => (
              <>
                <StateCounts caption={overview.jobsCaption} counts={jobs} empty={overview.noJobs} />
                <Text size="sm" c="dimmed" mt="sm">
                  {overview.version(version, roles.join(', '))}
                </Text>
              </>
            )}
          </AnswerView>
        </Card>
        <Card title={overview.sites}>
          <AnswerView answer={sites}>
            {(answer) => <SiteTable sites={answer.sites} isShort />}
          </AnswerView>
          <Text size="sm" mt="sm">
            <PageLink to="/sites">{overview.allSites}</PageLink>
          </Text>
        </Card>
      </SimpleGrid>
    </Page>
  );
}
