/**
 * BreakGlass: the images of one pseudonymous study, under a grant of a second person.
 * Decides that an image is shown one at a time and by the person's own act, since each is recorded.
 * Invariant: pictures are made by the server; nothing of them is kept in the page.
 * Source: security specification 5 (break-glass, one hour) and 7.
 */
import { Button, Stack, Text } from '@mantine/core';
import { useState, type ReactNode } from 'react';
import { hubRoutes, type RouteOutput } from '@aifi/contracts-rest';
import { addressOf } from '../api/call.js';
import { useAnswer } from '../api/use-answer.js';
import { useLanguage, useWords } from '../frame/language.js';
import { AnswerView } from '../parts/answer-view.js';
import { Card } from '../parts/card.js';
import { CodeValue } from '../parts/code-value.js';
import { DataTable, type Column } from '../parts/data-table.js';
import { StepUpGate, StepUpPrompt } from '../parts/step-up.js';
import { TwoPerson } from '../pages/two-person.js';

interface StudyKey {
  readonly siteId: string;
  readonly studyPseudonym: string;
}
type Instance = RouteOutput<typeof hubRoutes.studyInstances>['instances'][number];

export function BreakGlass({ siteId, studyPseudonym }: StudyKey) {
  const { breakGlass } = useWords().hub;
  const subject = { act: 'pixels.read', siteId, objectId: studyPseudonym };
  return (
    <Card title={breakGlass.title}>
      <Stack gap="md">
        <Text>{breakGlass.lead}</Text>
        <TwoPerson subject={subject} askLabel={breakGlass.ask} askHint={breakGlass.askHint}>
          {(ask) => (
            <StepUpGate>
              <Instances study={{ siteId, studyPseudonym }} ask={ask} />
            </StepUpGate>
          )}
        </TwoPerson>
      </Stack>
    </Card>
  );
}

interface InstancesProps {
  readonly study: StudyKey;
  readonly ask: ReactNode;
}
function Instances({ study, ask }: InstancesProps) {
  const { breakGlass } = useWords().hub;
  const [shown, setShown] = useState<number>();
  const params = { ...study };
  const answer = useAnswer(hubRoutes.studyInstances, { params }, { isAudited: true });
  return (
    <AnswerView answer={answer} onApprovalRequired={ask}>
      {({ instances }) => (
        <Stack gap="md">
          <InstanceTable {...{ instances, shown, onShow: setShown }} />
          <Text size="sm" c="dimmed">
            {breakGlass.recorded}
          </Text>
          {shown !== undefined && <Preview key={shown} study={study} index={shown} />}
        </Stack>
      )}
    </AnswerView>
  );
}

interface InstanceTableProps {
  readonly instances: readonly Instance[];
  readonly shown: number | undefined;
  readonly onShow: (index: number) => void;
}
function InstanceTable({ instances, shown, onShow }: InstanceTableProps) {
  const { words, formats } = useLanguage();
  const { breakGlass } = words.hub;
  const columns: readonly Column<Instance>[] = [
    {
      ...{ key: 'number', header: breakGlass.number, isRowHeader: true },
      cell: ({ index }) => index,
    },
    {
      ...{ key: 'uid', header: breakGlass.instance },
      cell: (one) => <CodeValue value={one.sopInstancePseudonym} label={breakGlass.instance} />,
    },
    {
      ...{ key: 'size', header: breakGlass.size, isNumber: true },
      cell: ({ sizeBytes }) => formats.size(sizeBytes),
    },
    {
      ...{ key: 'digest', header: breakGlass.digest },
      cell: ({ sha256 }) => <CodeValue value={sha256} label={breakGlass.digest} />,
    },
    {
      ...{ key: 'show', header: words.frame.actions, isHeaderHidden: true },
      cell: ({ index }) => (
        <Button
          {...{ size: 'xs', variant: shown === index ? 'filled' : 'default' }}
          aria-label={`${breakGlass.show}: ${index}`}
          aria-pressed={shown === index}
          onClick={() => onShow(index)}
        >
          {breakGlass.show}
        </Button>
      ),
    },
  ];
  return (
    <DataTable
      caption={breakGlass.instancesCaption}
      columns={columns}
      rows={instances}
      rowKey={({ index }) => String(index)}
      empty={words.frame.nothing}
      minWidth={600}
    />
  );
}

interface PreviewProps {
  readonly study: StudyKey;
  readonly index: number;
}
function Preview({ study, index }: PreviewProps) {
  const { breakGlass } = useWords().hub;
  const [isFailed, setFailed] = useState(false);
  if (isFailed) {
    return (
      <Stack gap="sm" role="alert">
        <Text>{breakGlass.imageFailed}</Text>
        <StepUpPrompt />
      </Stack>
    );
  }
  const params = { ...study, index };
  return (
    <img
      className="aifi-image"
      src={addressOf(hubRoutes.instancePreview.path, { params })}
      alt={breakGlass.image(index)}
      // The button may be a screen or more above the image.
      onLoad={({ currentTarget }) => currentTarget.scrollIntoView({ block: 'nearest' })}
      onError={() => setFailed(true)}
    />
  );
}
