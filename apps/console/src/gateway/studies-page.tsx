/**
 * Studies of the hospital: what became of each, and whose it is for those who may know.
 * Decides that an opened identity lasts as long as the page and is nowhere else.
 * Invariant: each page of the list is a recorded view; nothing is fetched by itself.
 */
import { NativeSelect, SegmentedControl, Stack, Text } from '@mantine/core';
import { useState } from 'react';
import { gatewayRoutes, type GatewayStudyView, type PatientView } from '@aifi/contracts-rest';
import { useAnswer, useCursor } from '../api/use-answer.js';
import { startOfDay } from '../format/times.js';
import { useWords } from '../frame/language.js';
import { Page } from '../frame/page.js';
import { AnswerView } from '../parts/answer-view.js';
import { Pager } from '../parts/pager.js';
import { Refresh } from '../parts/refresh.js';
import { OpenIdentity } from './open-identity.js';
import { StudyTable } from './study-table.js';

const LIMIT = 50;
const STATES = ['RECEIVING', 'WAITING_FOR_RULES', 'IN_PROGRESS', 'DONE'] as const;
const PERIODS = ['today', 'week', 'all'] as const;
type Period = (typeof PERIODS)[number];
/** Today and the six days before it. @unit ms */
const WEEK_BEFORE_MS = 6 * 86_400_000;

function fromOf(period: Period): number | undefined {
  const todayMs = startOfDay(Date.now());
  if (period === 'all') return undefined;
  return period === 'today' ? todayMs : startOfDay(todayMs - WEEK_BEFORE_MS);
}

export function StudiesPage() {
  const { studies } = useWords().gateway;
  const [period, setPeriod] = useState<Period>('today');
  const [state, setState] = useState<string>('');
  const [wanted, setWanted] = useState<GatewayStudyView>();
  const [opened, setOpened] = useState<ReadonlyMap<string, PatientView>>(new Map());
  const cursor = useCursor({ period, state });
  const query = {
    ...{ fromMs: fromOf(period), state: STATES.find((one) => one === state) },
    ...{ cursor: cursor.cursor, limit: LIMIT },
  };
  const options = { isAudited: true, isPaged: true };
  const answer = useAnswer(gatewayRoutes.listStudies, { query }, options);
  const refresh = (): void => void answer.refetch();
  return (
    <Page
      title={studies.titles[period]}
      lead={studies.lead}
      actions={<Refresh topics={['studies']} isBusy={answer.isFetching} onRefresh={refresh} />}
    >
      <div>
        <StudyChoice {...{ period, setPeriod, state, setState }} />
        <AnswerView answer={answer}>
          {({ items, nextCursor }) => (
            <>
              <StudyTable rows={items} opened={opened} onOpen={setWanted} />
              <Pager cursor={cursor} nextCursor={nextCursor} />
            </>
          )}
        </AnswerView>
      </div>
      <OpenIdentity
        study={wanted}
        onClose={() => setWanted(undefined)}
        onOpened={(uid, patient) => {
          setOpened((before) => new Map([...before, [uid, patient]]));
          setWanted(undefined);
        }}
      />
    </Page>
  );
}

interface StudyChoiceProps {
  readonly period: Period;
  readonly setPeriod: (period: Period) => void;
  readonly state: string;
  readonly setState: (state: string) => void;
}
function StudyChoice({ period, setPeriod, state, setState }: StudyChoiceProps) {
  const { gateway, terms, frame } = useWords();
  const { studies } = gateway;
  return (
    <div className="aifi-filters">
      <Stack gap={4}>
        <Text size="sm" fw={600} aria-hidden="true">
          {studies.period}
        </Text>
        <SegmentedControl
          aria-label={studies.period}
          value={period}
          onChange={setPeriod}
          data={PERIODS.map((value) => ({ value, label: studies.periods[value] }))}
        />
      </Stack>
      <NativeSelect
        label={studies.state}
        value={state}
        onChange={(event) => setState(event.currentTarget.value)}
        data={[
          { value: '', label: frame.any },
          ...STATES.map((value) => ({ value, label: terms.studyStates[value] })),
        ]}
      />
    </div>
  );
}
