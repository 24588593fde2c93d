/**
 * Studies: jobs of pseudonymous studies, filtered, page by page.
 * Decides that filters are asked together and that a site in the address is the first filter.
 * Invariant: each page is a recorded view; nothing is fetched by itself.
 */
import { NativeSelect, TextInput } from '@mantine/core';
import { useState } from 'react';
import { hubRoutes } from '@aifi/contracts-rest';
import { useLocation, useSearchParams } from 'wouter';
import { useAnswer, useCursor } from '../api/use-answer.js';
import { useWords } from '../frame/language.js';
import { Page } from '../frame/page.js';
import { useSession } from '../frame/session.js';
import { AnswerView } from '../parts/answer-view.js';
import { FilterBar } from '../parts/filter-bar.js';
import { Pager } from '../parts/pager.js';
import { Refresh } from '../parts/refresh.js';
import { StudyTable } from './study-table.js';

const LIMIT = 50;
const STATES = ['OPEN', 'STORED', 'QUEUED', 'INFERRED', 'CONCLUDED', 'ACKNOWLEDGED'] as const;
const NO_FILTERS = { siteId: '', state: '', wanted: '' };
type Filters = typeof NO_FILTERS;
/** A UID of DICOM: digits and dots (PS3.5, 9.1). */
const UID = /^[0-9][0-9.]{0,63}$/;
const JOB_ID = /^[0-9a-f]{32}$/;

export function StudiesPage() {
  const { studies } = useWords().hub;
  const [search] = useSearchParams();
  const [filters, setFilters] = useState<Filters>(() => ({
    ...NO_FILTERS,
    siteId: search.get('siteId') ?? '',
  }));
  const cursor = useCursor(filters);
  const query = {
    ...{ siteId: filters.siteId || undefined, studyPseudonym: filters.wanted || undefined },
    ...{ state: STATES.find((one) => one === filters.state) },
    ...{ cursor: cursor.cursor, limit: LIMIT },
  };
  const options = { isAudited: true, isPaged: true };
  const answer = useAnswer(hubRoutes.listStudies, { query }, options);
  const refresh = (): void => void answer.refetch();
  return (
    <Page
      title={studies.title}
      lead={studies.lead}
      actions={<Refresh topics={['studies']} isBusy={answer.isFetching} onRefresh={refresh} />}
    >
      <div>
        <StudyFilters first={filters} onApply={setFilters} />
        <AnswerView answer={answer}>
          {({ items, nextCursor }) => (
            <>
              <StudyTable rows={items} />
              <Pager cursor={cursor} nextCursor={nextCursor} />
            </>
          )}
        </AnswerView>
      </div>
    </Page>
  );
}

interface StudyFiltersProps {
  readonly first: Filters;
  readonly onApply: (filters: Filters) => void;
}
function StudyFilters({ first, onApply }: StudyFiltersProps) {
  const { hub, terms, frame } = useWords();
  const { studies } = hub;
  const [values, setValues] = useState(first);
  const [isWrong, setWrong] = useState(false);
  const [, navigate] = useLocation();
  const { acts, siteIds: own } = useSession();
  // Who sees studies need not see the health of sites: then the own ones are all there is.
  const isWanted = acts.includes('health.read');
  const sites = useAnswer(hubRoutes.sites, {}, { topics: ['sites'], isWanted });
  const change = (part: Partial<Filters>): void => setValues((before) => ({ ...before, ...part }));
  const apply = (): void => {
    const wanted = values.wanted.trim();
    if (JOB_ID.test(wanted)) return navigate(`/jobs/${wanted}`);
    const isRight = wanted === '' || UID.test(wanted);
    setWrong(!isRight);
    if (isRight) onApply({ ...values, wanted });
  };
  const clear = (): void => {
    setValues(NO_FILTERS);
    setWrong(false);
    onApply(NO_FILTERS);
  };
  const siteIds = sites.data?.sites.map(({ siteId }) => siteId) ?? own;
  return (
    <FilterBar onApply={apply} onClear={clear}>
      <NativeSelect
        label={studies.site}
        value={values.siteId}
        onChange={(event) => change({ siteId: event.currentTarget.value })}
        data={[{ value: '', label: frame.any }, ...new Set([...siteIds, values.siteId])].filter(
          (one) => one !== '',
        )}
      />
      <NativeSelect
        label={studies.state}
        value={values.state}
        onChange={(event) => change({ state: event.currentTarget.value })}
        data={[
          { value: '', label: frame.any },
          ...STATES.map((value) => ({ value, label: terms.jobStates[value] })),
        ]}
      />
      <TextInput
        label={studies.wanted}
        value={values.wanted}
        maxLength={64}
        error={isWrong ? studies.badPseudonym : undefined}
        onChange={(event) => change({ wanted: event.currentTarget.value })}
      />
    </FilterBar>
  );
}
