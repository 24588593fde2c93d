/**
 * The procedure catalogue: versions, import with a look first, and coverage, for hospital IT.
 * Decides that a file is put in force only after what it changes was shown, and not with a wrong
 * line. Invariant: a line is named by number and column. Source: governance specification 4.3.
 */
import { Anchor, Button, Group, Stack, Text } from '@mantine/core';
import { useState } from 'react';
import { gatewayRoutes, type CatalogueVersionView } from '@aifi/contracts-rest';
import { addressOf } from '../api/call.js';
import { useAct, useAnswer } from '../api/use-answer.js';
import { useLanguage, useWords } from '../frame/language.js';
import { useNotice } from '../frame/notices.js';
import { Page } from '../frame/page.js';
import { useSession } from '../frame/session.js';
import { AnswerView } from '../parts/answer-view.js';
import { Card } from '../parts/card.js';
import { DataTable, type Column } from '../parts/data-table.js';
import { Dialog } from '../parts/dialog.js';
import { ReasonForm } from '../parts/reason-form.js';
import { StateLabel } from '../parts/state-label.js';
import { At } from '../parts/when.js';
import { CatalogueCoverage } from './catalogue-coverage.js';
import { CatalogueImport } from './catalogue-import.js';

export function CataloguePage() {
  const { catalogue: text } = useWords();
  const { acts } = useSession();
  const [chosen, setChosen] = useState<CatalogueVersionView>();
  const answer = useAnswer(gatewayRoutes.catalogue, {});
  const coverage = useAnswer(gatewayRoutes.catalogueCoverage, {});
  const mayImport = acts.includes('catalogue.import');
  const changed = (): void => {
    setChosen(undefined);
    void answer.refetch();
    void coverage.refetch();
  };
  return (
    <Page title={text.title} lead={text.lead}>
      <div className="aifi-stack">
        <Card title={text.versions}>
          <AnswerView answer={answer}>
            {({ items }) => (
              <Versions rows={items} onRollBack={mayImport ? setChosen : undefined} />
            )}
          </AnswerView>
        </Card>
        {mayImport && (
          <Card title={text.importTitle}>
            <CatalogueImport onDone={changed} />
          </Card>
        )}
        <Card title={text.coverage}>
          <AnswerView answer={coverage}>
            {(found) => <CatalogueCoverage coverage={found} />}
          </AnswerView>
        </Card>
      </div>
      <Dialog
        isOpen={chosen !== undefined}
        title={text.rollBackTitle}
        onClose={() => setChosen(undefined)}
      >
        {chosen && <RollBack version={chosen.version} onDone={changed} />}
      </Dialog>
    </Page>
  );
}

interface VersionsProps {
  readonly rows: readonly CatalogueVersionView[];
  readonly onRollBack: ((version: CatalogueVersionView) => void) | undefined;
}
function Versions({ rows, onRollBack }: VersionsProps) {
  const { words, formats } = useLanguage();
  const { catalogue: text, frame } = words;
  const newest = rows[0];
  const columns: readonly Column<CatalogueVersionView>[] = [
    {
      ...{ key: 'version', header: text.version, isRowHeader: true },
      cell: (one) => (
        <Group gap="xs">
          {one.version}
          {one === newest && <StateLabel tone="ok">{text.inForce}</StateLabel>}
        </Group>
      ),
    },
    { key: 'since', header: text.since, cell: (one) => <At atMs={one.createdAtMs} /> },
    {
      ...{ key: 'kind', header: text.madeBy },
      cell: ({ kind, ofVersion }) =>
        kind === 'import'
          ? text.kinds.import
          : `${text.kinds.rollback} ${text.ofVersion(String(ofVersion))}`,
    },
    {
      ...{ key: 'codes', header: text.codes, isNumber: true },
      cell: ({ codes }) => formats.number(codes),
    },
    {
      ...{ key: 'file', header: text.file },
      cell: ({ version, isKept }) =>
        isKept && (
          <Anchor
            href={addressOf(gatewayRoutes.exportCatalogue.path, { query: { version } })}
            aria-label={`${text.download}: ${text.version} ${version}`}
            download
          >
            {text.download}
          </Anchor>
        ),
    },
    {
      ...{ key: 'back', header: frame.actions, isHeaderHidden: true },
      cell: (one) =>
        onRollBack &&
        one.isKept &&
        one.sha256 !== newest?.sha256 && (
          <Button
            {...{ size: 'xs', variant: 'default', onClick: () => onRollBack(one) }}
            aria-label={`${text.rollBack}: ${text.version} ${one.version}`}
          >
            {text.rollBack}
          </Button>
        ),
    },
  ];
  return (
    <DataTable
      caption={text.caption}
      columns={columns}
      rows={rows}
      rowKey={({ version }) => String(version)}
      empty={text.none}
      minWidth={640}
    />
  );
}

interface RollBackProps {
  readonly version: number;
  readonly onDone: () => void;
}
function RollBack({ version, onDone }: RollBackProps) {
  const { catalogue: text } = useWords();
  const tell = useNotice();
  const rollBack = useAct(gatewayRoutes.rollBackCatalogue, () => {
    tell(text.rolledBack);
    onDone();
  });
  return (
    <Stack gap="sm">
      <Text>{text.rollBackText}</Text>
      <ReasonForm
        action={text.rollBack}
        isBusy={rollBack.isBusy}
        problem={rollBack.problem}
        onSubmit={(reason) => rollBack.go({ body: { version, reason } })}
      />
    </Stack>
  );
}
