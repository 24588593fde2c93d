/**
 * Undelivered: what the PACS would not take or keep, for hospital IT to look into and send again.
 * Decides that nothing is sent again without a question that says how many. Invariant: a recorded
 * view, so it is fetched when the person asks; that there is news is told, and counted, at once.
 * Source: reliability specification P6; security specification 5.
 */
import { Button, Group, NativeSelect, Stack, Text } from '@mantine/core';
import { useState } from 'react';
import {
  DEAD_LETTER_WORDS,
  gatewayRoutes,
  type DeadLetterView,
  type ReplayCount,
} from '@aifi/contracts-rest';
import { useAct, useAnswer, useCursor } from '../api/use-answer.js';
import { useLanguage, useWords } from '../frame/language.js';
import { useNotice } from '../frame/notices.js';
import { Page } from '../frame/page.js';
import { useSession } from '../frame/session.js';
import { AnswerView } from '../parts/answer-view.js';
import { Dialog } from '../parts/dialog.js';
import { Fault } from '../parts/fault.js';
import { Pager } from '../parts/pager.js';
import { Refresh } from '../parts/refresh.js';
import { DeadLetterTable } from './dead-letter-table.js';
import { useUndelivered } from './undelivered.js';

/** What a person is asked about: one letter, or all that the filter leaves. */
type Asked = DeadLetterView | 'all';

export function DeadLettersPage() {
  const { deadLetters } = useWords().gateway;
  const { acts } = useSession();
  const [code, setCode] = useState('');
  const [asked, setAsked] = useState<Asked>();
  const cursor = useCursor(code);
  const query = { code: code || undefined, cursor: cursor.cursor };
  const options = { isAudited: true, isPaged: true };
  const answer = useAnswer(gatewayRoutes.deadLetters, { query }, options);
  const refresh = (): void => void answer.refetch();
  const mayReplay = acts.includes('dead-letter.replay');
  const total = answer.data?.total ?? 0;
  const undelivered = useUndelivered() ?? total;
  return (
    <Page
      title={deadLetters.title}
      lead={deadLetters.lead}
      actions={
        <Refresh
          {...{ topics: [], isBusy: answer.isFetching, onRefresh: refresh }}
          hasNews={code === '' && answer.data !== undefined && total !== undelivered}
        />
      }
    >
      <div>
        <Group justify="space-between" align="flex-end" mb="sm">
          <ReasonChoice code={code} setCode={setCode} />
          {mayReplay && total > 0 && (
            <Button variant="default" onClick={() => setAsked('all')}>
              {deadLetters.all(total)}
            </Button>
          )}
        </Group>
        <AnswerView answer={answer}>
          {({ items, nextCursor }) => (
            <>
              <DeadLetterTable
                rows={items}
                empty={code === '' ? deadLetters.none : deadLetters.noneOfReason}
                onReplay={mayReplay ? setAsked : undefined}
              />
              <Pager cursor={cursor} nextCursor={nextCursor} />
            </>
          )}
        </AnswerView>
      </div>
      <Dialog
        isOpen={asked !== undefined}
        title={asked === 'all' ? deadLetters.allTitle : deadLetters.one}
        onClose={() => setAsked(undefined)}
      >
        {asked !== undefined && (
          <Confirm
            {...{ asked, code, total }}
            onClose={() => setAsked(undefined)}
            onDone={refresh}
          />
        )}
      </Dialog>
    </Page>
  );
}

interface ReasonChoiceProps {
  readonly code: string;
  readonly setCode: (code: string) => void;
}
function ReasonChoice({ code, setCode }: ReasonChoiceProps) {
  const { language, words } = useLanguage();
  const reasons = Object.entries(DEAD_LETTER_WORDS).map(([value, text]) => ({
    ...{ value, label: text[language] },
  }));
  return (
    <NativeSelect
      {...{ label: words.gateway.deadLetters.reason, value: code, maw: '100%' }}
      onChange={(event) => setCode(event.currentTarget.value)}
      data={[{ value: '', label: words.frame.any }, ...reasons]}
    />
  );
}

interface ConfirmProps {
  readonly asked: Asked;
  readonly code: string;
  readonly total: number;
  readonly onClose: () => void;
  readonly onDone: () => void;
}
function Confirm({ asked, code, total, onClose, onDone }: ConfirmProps) {
  const { gateway, frame } = useWords();
  const { deadLetters } = gateway;
  const tell = useNotice();
  const done = ({ replayed, skipped }: ReplayCount): void => {
    const left = skipped > 0 ? [deadLetters.skipped(skipped)] : [];
    tell([...(replayed > 0 ? [deadLetters.replayed(replayed)] : []), ...left].join(' '));
    onClose();
    onDone();
  };
  const one = useAct(gatewayRoutes.replayDeadLetter, done);
  const many = useAct(gatewayRoutes.replayDeadLetters, done);
  const go = (): void => {
    if (asked === 'all') many.go({ body: code === '' ? { all: true } : { code } });
    else one.go({ params: { deadLetterId: asked.id }, body: {} });
  };
  const problem = one.problem ?? many.problem;
  return (
    <Stack gap="sm">
      {asked === 'all' && <Text fw={600}>{deadLetters.allText(total)}</Text>}
      <Text>{deadLetters.text}</Text>
      {problem && <Fault problem={problem} />}
      <Group gap="sm">
        <Button loading={one.isBusy || many.isBusy} onClick={go} data-autofocus>
          {deadLetters.action}
        </Button>
        <Button variant="subtle" onClick={onClose}>
          {frame.cancel}
        </Button>
      </Group>
    </Stack>
  );
}
