/**
 * Filters of the audit log: period, act, user, outcome, object, site.
 * Decides that local times of the form become instants. Invariant: no filter is about a patient;
 * what was seen of one is asked at the gateway, without an address that names the patient.
 */
import { NativeSelect, TextInput } from '@mantine/core';
import { useState } from 'react';
import { AUDIT_OUTCOMES } from '@aifi/contracts-rest';
import { useWords } from '../frame/language.js';
import { useSession } from '../frame/session.js';
import { FilterBar } from '../parts/filter-bar.js';

export const NO_FILTERS = {
  ...{ from: '', to: '', act: '', userId: '', outcome: '', objectId: '', siteId: '' },
};
export type AuditFilterValues = typeof NO_FILTERS;
type Outcome = (typeof AUDIT_OUTCOMES)[number];

/** The query of the interface; empty values are left out. */
export function auditQuery({
  from,
  to,
  act,
  userId,
  outcome,
  objectId,
  siteId,
}: AuditFilterValues) {
  const atMs = (local: string): number | undefined => {
    const value = new Date(local).getTime();
    return Number.isFinite(value) ? value : undefined;
  };
  const text = (value: string): string | undefined => value.trim() || undefined;
  return {
    ...{ fromMs: atMs(from), toMs: atMs(to), act: text(act), userId: text(userId) },
    ...{ objectId: text(objectId), siteId: text(siteId) },
    outcome: AUDIT_OUTCOMES.find((one): one is Outcome => one === outcome),
  };
}

interface AuditFiltersProps {
  readonly onApply: (values: AuditFilterValues) => void;
}
export function AuditFilters({ onApply }: AuditFiltersProps) {
  const { access, acts, terms, frame } = useWords();
  const { server } = useSession();
  const [values, setValues] = useState(NO_FILTERS);
  const words = access.audit;
  const bind = (name: keyof AuditFilterValues) => ({
    label: words[name],
    value: values[name],
    onChange: ({ currentTarget }: { currentTarget: { value: string } }) => {
      const { value } = currentTarget;
      setValues((before) => ({ ...before, [name]: value }));
    },
  });
  const all = { value: '', label: frame.any };
  const options = (entries: Readonly<Record<string, string>>) => [
    all,
    ...Object.entries(entries).map(([value, label]) => ({ value, label })),
  ];
  return (
    <FilterBar
      onApply={() => onApply(values)}
      onClear={() => {
        setValues(NO_FILTERS);
        onApply(NO_FILTERS);
      }}
    >
      <TextInput type="datetime-local" {...bind('from')} />
      <TextInput type="datetime-local" {...bind('to')} />
      <NativeSelect data={options(acts.actNames)} {...bind('act')} />
      <NativeSelect data={options(terms.auditOutcomes)} {...bind('outcome')} />
      <TextInput maxLength={256} {...bind('userId')} />
      <TextInput maxLength={256} {...bind('objectId')} />
      {server === 'hub' && <TextInput maxLength={64} {...bind('siteId')} />}
    </FilterBar>
  );
}
