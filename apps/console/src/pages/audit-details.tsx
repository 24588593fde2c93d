/** AuditDetails: every field of one audit record. Decides nothing. */
import type { AuditRecord } from '@aifi/contracts-rest';
import { outcomeTone } from '../format/tones.js';
import { useLanguage } from '../frame/language.js';
import { CodeValue } from '../parts/code-value.js';
import { SidePanel } from '../parts/dialog.js';
import { Facts, type FactRow } from '../parts/facts.js';
import { codeWords } from '../parts/hop-list.js';
import { StateLabel } from '../parts/state-label.js';
import { At } from '../parts/when.js';
import { termOf } from '../words/words.js';

interface AuditDetailsProps {
  readonly record: AuditRecord | undefined;
  readonly onClose: () => void;
}
export function AuditDetails({ record, onClose }: AuditDetailsProps) {
  const { words } = useLanguage();
  return (
    <SidePanel
      isOpen={record !== undefined}
      onClose={onClose}
      title={words.access.audit.detailsTitle}
    >
      {record && <RecordFacts record={record} />}
    </SidePanel>
  );
}

function RecordFacts({ record }: { readonly record: AuditRecord }) {
  const state = useLanguage();
  const { access, acts, terms } = state.words;
  const { at, fields } = access.audit;
  const whole = (value: string, label: string) => <CodeValue {...{ value, label }} isWhole />;
  const rows: readonly FactRow[] = [
    [at, <At key="at" atMs={record.atMs} />],
    [fields.act, `${termOf(acts.actNames, record.act)} (${record.act})`],
    [fields.action, terms.actions[record.action]],
    [
      fields.outcome,
      <StateLabel key="outcome" tone={outcomeTone(record.outcome)}>
        {terms.auditOutcomes[record.outcome]}
      </StateLabel>,
    ],
    [fields.code, record.code && codeWords(record.code, state)],
    [fields.user, record.userName],
    [fields.userId, record.userId],
    [fields.userKind, terms.userKinds[record.userKind]],
    [fields.role, record.role && termOf(acts.roleNames, record.role)],
    [fields.responsibleUserId, record.responsibleUserId],
    [fields.siteId, record.siteId],
    [fields.object, `${record.objectType} ${record.objectId}`],
    [fields.patientId, record.patientId],
    [fields.reason, record.reason],
    [fields.detail, detailWords(record.detail)],
    [fields.sourceAddress, record.sourceAddress],
    [fields.correlationId, record.correlationId],
    [fields.chain, record.chain],
    [fields.sequence, state.formats.number(record.sequence)],
    [fields.hash, whole(record.hash, fields.hash)],
    [fields.previousHash, whole(record.previousHash, fields.previousHash)],
  ];
  return <Facts rows={rows} />;
}

function detailWords(detail: AuditRecord['detail']): string | null {
  const facts = Object.entries(detail).map(([name, value]) => `${name}: ${String(value)}`);
  return facts.length === 0 ? null : facts.join(', ');
}
