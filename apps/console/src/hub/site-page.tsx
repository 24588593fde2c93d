/**
 * Site: health, deployments and the activity of the last 24 hours of one hospital.
 * Decides nothing; a site that is not in the list is not there for this person.
 */
import { SimpleGrid, Text } from '@mantine/core';
import { hubRoutes, type SiteView } from '@aifi/contracts-rest';
import { useAnswer } from '../api/use-answer.js';
import { deploymentTone } from '../format/tones.js';
import { useLanguage, useWords } from '../frame/language.js';
import { Page } from '../frame/page.js';
import { useSession } from '../frame/session.js';
import { AnswerView } from '../parts/answer-view.js';
import { Card } from '../parts/card.js';
import { CodeValue } from '../parts/code-value.js';
import { DataTable, type Column } from '../parts/data-table.js';
import { Facts } from '../parts/facts.js';
import { PageLink } from '../parts/page-link.js';
import { StateLabel } from '../parts/state-label.js';
import { At, When } from '../parts/when.js';
import { termOf } from '../words/words.js';
import { SiteActivity } from './site-activity.js';
import { SiteHealthLabel } from './site-table.js';

export function SitePage({ siteId }: { readonly siteId: string }) {
  const { frame, hub } = useWords();
  const { acts } = useSession();
  const topics = ['sites', 'studies'] as const;
  const answer = useAnswer(hubRoutes.sites, {}, { topics });
  const activity = useAnswer(hubRoutes.siteActivity, { params: { siteId } }, { topics });
  return (
    <Page title={hub.study.at(siteId)}>
      <AnswerView answer={answer}>
        {({ sites }) => {
          const site = sites.find((one) => one.siteId === siteId);
          if (!site) return <p>{frame.notFoundText}</p>;
          return (
            <SimpleGrid cols={{ base: 1, lg: 2 }}>
              <Card title={hub.sites.health}>
                <SiteFacts site={site} />
                {acts.includes('study-list.read') && (
                  <Text mt="md">
                    <PageLink to={`/studies?siteId=${siteId}`}>{hub.sites.studiesOf}</PageLink>
                  </Text>
                )}
              </Card>
              <Card title={hub.sites.deployments}>
                <Deployments site={site} />
              </Card>
            </SimpleGrid>
          );
        }}
      </AnswerView>
      <Card title={hub.sites.activity}>
        <AnswerView answer={activity}>{({ hours }) => <SiteActivity hours={hours} />}</AnswerView>
      </Card>
    </Page>
  );
}

function SiteFacts({ site }: { readonly site: SiteView }) {
  const { words, formats } = useLanguage();
  const { sites: text } = words.hub;
  return (
    <Facts
      rows={[
        [text.health, <SiteHealthLabel key="health" site={site} />],
        [text.state, termOf(words.terms.siteStates, site.state)],
        [text.purpose, termOf(words.frame.purposes, site.purpose)],
        [text.lastSeen, <When key="seen" atMs={site.lastSeenAtMs} absent={words.frame.never} />],
        [text.enrolled, <At key="enrolled" atMs={site.enrolledAtMs} />],
        [text.openJobs, formats.number(site.openJobs)],
        [text.waiting, formats.number(site.waitingOutcomes)],
        [text.rules, site.rulesSequence ?? text.noRules],
      ]}
    />
  );
}

type Deployment = SiteView['deployments'][number];
function Deployments({ site }: { readonly site: SiteView }) {
  const { hub, terms, frame } = useWords();
  const text = hub.sites;
  const columns: readonly Column<Deployment>[] = [
    {
      ...{ key: 'product', header: text.product, isRowHeader: true },
      cell: ({ product }) => product,
    },
    { key: 'version', header: text.version, cell: ({ version }) => version },
    {
      ...{ key: 'state', header: text.state },
      cell: ({ state }) => (
        <StateLabel tone={deploymentTone(state)}>
          {termOf(terms.deploymentStates, state)}
        </StateLabel>
      ),
    },
    {
      ...{ key: 'digest', header: text.digest },
      cell: ({ modelDigest }) => <CodeValue value={modelDigest} label={text.digest} />,
    },
  ];
  return (
    <DataTable
      caption={text.deploymentsCaption}
      columns={columns}
      rows={site.deployments}
      rowKey={({ product, version }) => `${product} ${version}`}
      empty={frame.nothing}
      minWidth={440}
    />
  );
}
