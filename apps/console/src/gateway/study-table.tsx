/**
 * StudyTable: studies of the hospital as rows: when, whose, what, and what each product said.
 * Decides how a masked identity reads. Invariant: why there is no result stands in words, beside
 * the state, in the language of the page.
 */
import { Button } from '@mantine/core';
import type { GatewayStudyView, PatientView } from '@aifi/contracts-rest';
import { jobTone } from '../format/tones.js';
import { useLanguage } from '../frame/language.js';
import { useSession } from '../frame/session.js';
import { DataTable, type Column } from '../parts/data-table.js';
import { PageLink } from '../parts/page-link.js';
import { Icon } from '../parts/icon.js';
import { StateLabel } from '../parts/state-label.js';
import { At } from '../parts/when.js';
import { termOf } from '../words/words.js';
import { PatientLines } from './patient.js';
import { ProductLines } from './product-lines.js';

interface StudyTableProps {
  readonly rows: readonly GatewayStudyView[];
  readonly opened: ReadonlyMap<string, PatientView>;
  readonly onOpen: (study: GatewayStudyView) => void;
}

export function StudyTable({ rows, opened, onOpen }: StudyTableProps) {
  const { words, formats } = useLanguage();
  const { studies } = words.gateway;
  const columns: readonly Column<GatewayStudyView>[] = [
    {
      ...{ key: 'received', header: studies.received, isRowHeader: true },
      cell: (study) => (
        <>
          <At atMs={study.receivedAtMs} />
          <div className="aifi-dimmed">
            <PageLink
              to={`/studies/${study.studyInstanceUid}`}
              label={`${studies.trace}: ${formats.exact(study.receivedAtMs)}`}
            >
              {studies.trace}
            </PageLink>
          </div>
        </>
      ),
    },
    {
      ...{ key: 'patient', header: studies.patient },
      cell: (study) => (
        <PatientCell
          study={study}
          patient={opened.get(study.studyInstanceUid) ?? study.patient}
          onOpen={() => onOpen(study)}
        />
      ),
    },
    {
      ...{ key: 'study', header: studies.study },
      cell: ({ modality, studyDescription, receivedInstances }) => (
        <>
          {[modality, studyDescription].filter(Boolean).join(' · ') || '–'}
          <div className="aifi-dimmed">{studies.instances(receivedInstances)}</div>
        </>
      ),
    },
    {
      ...{ key: 'state', header: studies.state },
      cell: ({ state }) => (
        <StateLabel tone={jobTone(state)}>{termOf(words.terms.studyStates, state)}</StateLabel>
      ),
    },
    {
      ...{ key: 'products', header: studies.products },
      cell: (study) => <ProductLines study={study} />,
    },
  ];
  return (
    <DataTable
      caption={studies.caption}
      columns={columns}
      rows={rows}
      rowKey={({ studyInstanceUid }) => studyInstanceUid}
      empty={words.frame.nothing}
      minWidth={940}
    />
  );
}

interface PatientCellProps {
  readonly study: GatewayStudyView;
  readonly patient: PatientView | null;
  readonly onOpen: () => void;
}
function PatientCell({ study, patient, onOpen }: PatientCellProps) {
  const { words, formats } = useLanguage();
  const { acts } = useSession();
  const { studies } = words.gateway;
  if (patient) return <PatientLines patient={patient} />;
  if (study.masked === null) return <span className="aifi-dimmed">{studies.hidden}</span>;
  return (
    <>
      <StateLabel tone={study.masked === 'reason-required' ? 'quiet' : 'warn'}>
        {study.masked === 'reason-required' ? '' : `${studies.masked}: `}
        {words.terms.masks[study.masked]}
      </StateLabel>
      {acts.includes('identity.open') && (
        <div>
          <Button
            {...{ size: 'xs', variant: 'default', mt: 6, onClick: onOpen }}
            leftSection={<Icon name="lock" size={13} />}
            aria-label={`${studies.open}: ${formats.exact(study.receivedAtMs)}`}
          >
            {studies.open}
          </Button>
        </div>
      )}
    </>
  );
}
