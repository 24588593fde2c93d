/**
 * Not received: studies that the PACS has and the gateway should have seen, for hospital IT.
 * Decides that how the last comparison ended stands above the list, so that an empty list is never
 * taken for a good one. Invariant: studies by their UIDs, and no patient attribute.
 * Source: reliability specification 2 (T-REC).
 */
import { Button, Group, Stack, Text } from '@mantine/core';
import { useState } from 'react';
import {
  gatewayRoutes,
  MISSED_STUDY_ADVICE,
  RECONCILIATION_WORDS,
  type AssuranceView,
  type MissedStudyView,
  type ReconciliationRunView,
} from '@aifi/contracts-rest';
import { useAct, useAnswer, useCursor } from '../api/use-answer.js';
import { useLanguage, useWords } from '../frame/language.js';
import { useNotice } from '../frame/notices.js';
import { Page } from '../frame/page.js';
import { useSession } from '../frame/session.js';
import { AnswerView } from '../parts/answer-view.js';
import { Card } from '../parts/card.js';
import { DataTable, type Column } from '../parts/data-table.js';
import { Dialog } from '../parts/dialog.js';
import { Facts } from '../parts/facts.js';
import { Fault } from '../parts/fault.js';
import { Pager } from '../parts/pager.js';
import { ReasonForm } from '../parts/reason-form.js';
import { StateLabel } from '../parts/state-label.js';
import { At } from '../parts/when.js';

const CLOCK_TONES = { good: 'ok', unknown: 'warn', alarm: 'warn', hold: 'bad' } as const;

export function ReconciliationPage() {
  const { reconciliation: text } = useWords();
  const { language } = useLanguage();
  const { acts } = useSession();
  const [chosen, setChosen] = useState<MissedStudyView>();
  const cursor = useCursor('reconciliation');
  const options = { isAudited: true, isPaged: true };
  const query = { cursor: cursor.cursor };
  const answer = useAnswer(gatewayRoutes.reconciliation, { query }, options);
  const mayDismiss = acts.includes('missed-study.dismiss');
  const done = (): void => {
    setChosen(undefined);
    void answer.refetch();
  };
  return (
    <Page title={text.title} lead={text.lead}>
      <AnswerView answer={answer}>
        {({ items, nextCursor, lastRun, isOn, assurance }) => (
          <div className="aifi-stack">
            <LastRun lastRun={lastRun} isOn={isOn} />
            {items.length > 0 && <Text>{MISSED_STUDY_ADVICE[language]}</Text>}
            <MissedStudies
              rows={items}
              mayFetch={acts.includes('missed-study.fetch')}
              onDismiss={mayDismiss ? setChosen : undefined}
            />
            <Pager cursor={cursor} nextCursor={nextCursor} />
            <Card title={text.assurance}>
              <Assurance assurance={assurance} />
            </Card>
          </div>
        )}
      </AnswerView>
      <Dialog
        isOpen={chosen !== undefined}
        title={text.dismissTitle}
        onClose={() => setChosen(undefined)}
      >
        {chosen && <Dismiss study={chosen} onDone={done} />}
      </Dialog>
    </Page>
  );
}

interface LastRunProps {
  readonly lastRun: ReconciliationRunView | null;
  readonly isOn: boolean;
}
function LastRun({ lastRun, isOn }: LastRunProps) {
  const { language, words, formats } = useLanguage();
  const { reconciliation: text } = words;
  if (!isOn) return <StateLabel tone="warn">{text.off}</StateLabel>;
  if (!lastRun) return <StateLabel tone="warn">{text.never}</StateLabel>;
  const { state, atMs, doneAtMs, studies } = lastRun;
  return (
    <Facts
      rows={[
        [
          text.lastRun,
          <span key="last">
            <StateLabel tone={state === 'DONE' ? 'ok' : 'bad'}>{formats.exact(atMs)}</StateLabel>
            <div>{RECONCILIATION_WORDS[state][language]}</div>
            <div className="aifi-dimmed">{text.compared(formats.number(studies))}</div>
          </span>,
        ],
        [text.lastDone, doneAtMs === null ? text.neverDone : formats.exact(doneAtMs)],
      ]}
    />
  );
}

interface MissedStudiesProps {
  readonly rows: readonly MissedStudyView[];
  readonly mayFetch: boolean;
  readonly onDismiss: ((study: MissedStudyView) => void) | undefined;
}
function MissedStudies({ rows, mayFetch, onDismiss }: MissedStudiesProps) {
  const { words, formats } = useLanguage();
  const { reconciliation: text, frame } = words;
  const columns: readonly Column<MissedStudyView>[] = [
    {
      ...{ key: 'study', header: text.study, isRowHeader: true },
      cell: ({ studyInstanceUid }) => studyInstanceUid,
    },
    { key: 'when', header: text.when, cell: ({ studyAtMs }) => <At atMs={studyAtMs} /> },
    { key: 'kind', header: text.kind, cell: ({ kind }) => text.kinds[kind] },
    {
      ...{ key: 'images', header: text.images },
      cell: ({ receivedInstances, expectedInstances }) =>
        text.imagesText(formats.number(receivedInstances), formats.number(expectedInstances)),
    },
    {
      ...{ key: 'modalities', header: text.modalities },
      cell: ({ modalities }) => modalities.join(', ') || frame.unknown,
    },
    { key: 'products', header: text.products, cell: ({ products }) => products.join(', ') },
    {
      ...{ key: 'dismiss', header: frame.actions, isHeaderHidden: true },
      cell: (study) => (
        <Group gap="xs">
          {mayFetch && <Fetch study={study} />}
          {onDismiss && (
            <Button
              {...{ size: 'xs', variant: 'default', onClick: () => onDismiss(study) }}
              aria-label={`${text.dismiss}: ${study.studyInstanceUid}`}
            >
              {text.dismiss}
            </Button>
          )}
        </Group>
      ),
    },
  ];
  return (
    <DataTable
      caption={text.caption}
      columns={columns}
      rows={rows}
      rowKey={({ id }) => String(id)}
      empty={text.none}
      minWidth={820}
    />
  );
}

function Assurance({ assurance }: { readonly assurance: AssuranceView }) {
  const { words, formats } = useLanguage();
  const { reconciliation: text } = words;
  const { clock, digests, violations } = assurance;
  return (
    <Facts
      rows={[
        [
          text.clock,
          <span key="clock">
            <StateLabel tone={CLOCK_TONES[clock.level]}>{text.levels[clock.level]}</StateLabel>
            {clock.offsetMs !== null && ` ${text.offset(formats.number(clock.offsetMs / 1_000))}`}
          </span>,
        ],
        [
          text.digests,
          <span key="digests">
            {digestWords(digests, words.reconciliation, formats)}
            {digests.damaged > 0 && (
              <StateLabel tone="bad">{text.damaged(formats.number(digests.damaged))}</StateLabel>
            )}
          </span>,
        ],
        [
          text.invariants,
          violations === 0 ? (
            text.invariantsGood
          ) : (
            <StateLabel key="invariants" tone="bad">
              {text.invariantsBad(formats.number(violations))}
            </StateLabel>
          ),
        ],
      ]}
    />
  );
}

type Language = ReturnType<typeof useLanguage>;
function digestWords(
  { startedAtMs, finishedAtMs, files }: AssuranceView['digests'],
  text: Language['words']['reconciliation'],
  formats: Language['formats'],
): string {
  if (startedAtMs === null) return text.digestsNever;
  if (finishedAtMs === null) return text.digestsRunning;
  return text.digestsText(formats.number(files), formats.exact(finishedAtMs));
}

/** Has the gateway fetch it: it leaves the list when it has come. */
function Fetch({ study }: { readonly study: MissedStudyView }) {
  const { reconciliation: text } = useWords();
  const tell = useNotice();
  const fetching = useAct(gatewayRoutes.fetchMissedStudy, () => tell(text.fetching));
  return (
    <>
      <Button
        {...{ size: 'xs', variant: 'default', loading: fetching.isBusy }}
        onClick={() => fetching.go({ params: { missedStudyId: study.id }, body: {} })}
        aria-label={`${text.fetch}: ${study.studyInstanceUid}`}
      >
        {text.fetch}
      </Button>
      {fetching.problem && <Fault problem={fetching.problem} />}
    </>
  );
}

interface DismissProps {
  readonly study: MissedStudyView;
  readonly onDone: () => void;
}
function Dismiss({ study, onDone }: DismissProps) {
  const { reconciliation: text } = useWords();
  const tell = useNotice();
  const dismiss = useAct(gatewayRoutes.dismissMissedStudy, () => {
    tell(text.dismissed);
    onDone();
  });
  return (
    <Stack gap="sm">
      <Text>{text.dismissText}</Text>
      <ReasonForm
        action={text.dismiss}
        isBusy={dismiss.isBusy}
        problem={dismiss.problem}
        onSubmit={(reason) => dismiss.go({ params: { missedStudyId: study.id }, body: { reason } })}
      />
    </Stack>
  );
}
