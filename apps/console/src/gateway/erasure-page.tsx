/**
 * Erase a patient: from the vault, after a request of the patient, by two persons.
 * Decides that the request names a code in place of the number, which the second person computes
 * from the number too. Invariant: the number goes in a body, and is gone when the page is left.
 * Source: GDPR Art. 17; security specification 5 (two persons).
 */
import { Button, NativeSelect, Stack, Text, TextInput } from '@mantine/core';
import { useState, type FormEvent, type ReactNode } from 'react';
import { gatewayRoutes, type RouteOutput } from '@aifi/contracts-rest';
import { useAct, useAnswer } from '../api/use-answer.js';
import { useWords } from '../frame/language.js';
import { useNotice } from '../frame/notices.js';
import { Page } from '../frame/page.js';
import { useSession } from '../frame/session.js';
import { Card } from '../parts/card.js';
import { CodeValue } from '../parts/code-value.js';
import { Facts } from '../parts/facts.js';
import { Fault } from '../parts/fault.js';
import { ReasonForm } from '../parts/reason-form.js';
import { StepUpGate } from '../parts/step-up.js';
import { TwoPerson } from '../pages/two-person.js';

type Code = RouteOutput<typeof gatewayRoutes.patientCode>;
type Extent = 'keep' | 'erase';
interface Patient {
  readonly patientId: string;
  readonly issuer: string | null;
}

export function ErasurePage() {
  const { erasure } = useWords().gateway;
  const [found, setFound] = useState<{ patient: Patient; code: Code }>();
  const { acts } = useSession();
  return (
    <Page title={erasure.title} lead={erasure.lead}>
      <PatientForm onCode={(patient, code) => setFound({ patient, code })} />
      {found && (
        <Card key={found.code.code} title={erasure.code}>
          <Stack gap="md">
            <Facts
              rows={[
                [
                  erasure.code,
                  <CodeValue key="code" value={found.code.code} label={erasure.code} isWhole />,
                ],
                [erasure.studies, found.code.studies],
                [erasure.withoutIssuer, found.code.studiesWithoutIssuer || null],
              ]}
            />
            {found.code.studiesWithoutIssuer > 0 && (
              <Text fw={600}>{erasure.withoutIssuerText(found.code.studiesWithoutIssuer)}</Text>
            )}
            <Text>{erasure.codeText}</Text>
            <Text>{erasure.stays}</Text>
            {acts.includes('vault.erase') && <Erasure {...found} />}
          </Stack>
        </Card>
      )}
    </Page>
  );
}

interface PatientFormProps {
  readonly onCode: (patient: Patient, code: Code) => void;
}
function PatientForm({ onCode }: PatientFormProps) {
  const { erasure } = useWords().gateway;
  const [patientId, setPatientId] = useState('');
  const [issuer, setIssuer] = useState('');
  const patient = { patientId: patientId.trim(), issuer: issuer.trim() || null };
  const compute = useAct(gatewayRoutes.patientCode, (code) => onCode(patient, code));
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    compute.go({ body: patient });
  };
  return (
    <form onSubmit={submit} className="aifi-filters">
      <TextInput
        {...{ label: erasure.patientId, required: true, maxLength: 64, value: patientId }}
        autoComplete="off"
        onChange={(event) => setPatientId(event.currentTarget.value)}
      />
      <TextInput
        {...{ label: erasure.issuer, maxLength: 64, value: issuer, autoComplete: 'off' }}
        onChange={(event) => setIssuer(event.currentTarget.value)}
      />
      <Button type="submit" loading={compute.isBusy}>
        {erasure.compute}
      </Button>
      {compute.problem && <Fault problem={compute.problem} />}
    </form>
  );
}

interface ErasureProps {
  readonly patient: Patient;
  readonly code: Code;
}
function Erasure({ patient, code }: ErasureProps) {
  const { erasure } = useWords().gateway;
  const { siteIds } = useSession();
  const [results, setResults] = useState<Extent>('keep');
  const status = useAnswer(gatewayRoutes.status, {}, { topics: ['status'] });
  const siteId = status.data?.siteId ?? siteIds[0] ?? '';
  // As the server names it: what is agreed to says whether the register goes too.
  const objectId = results === 'erase' ? `${code.code}-with-results` : code.code;
  const subject = { act: 'vault.erase', siteId, objectId };
  return (
    <>
      <NativeSelect
        {...{ label: erasure.extent, value: results, maw: '40rem' }}
        onChange={(event) => setResults(event.currentTarget.value as Extent)}
        data={(['keep', 'erase'] as const).map((value) => ({
          ...{ value, label: erasure.extents[value] },
        }))}
      />
      <TwoPerson key={objectId} {...{ subject, askLabel: erasure.ask, askHint: erasure.askHint }}>
        {(ask) => (
          <StepUpGate>
            <EraseForm {...{ patient, results, ask }} />
          </StepUpGate>
        )}
      </TwoPerson>
    </>
  );
}

interface EraseFormProps {
  readonly patient: Patient;
  readonly results: Extent;
  readonly ask: ReactNode;
}
function EraseForm({ patient, results, ask }: EraseFormProps) {
  const { erasure } = useWords().gateway;
  const tell = useNotice();
  const erase = useAct(gatewayRoutes.erasePatient, ({ jobs, results: rows }) =>
    tell(erasure.done(jobs, rows)),
  );
  if (erase.problem?.code === 'APPROVAL_REQUIRED') return ask;
  return (
    <ReasonForm
      action={erasure.erase}
      hint={erasure.eraseHint}
      color="red.9"
      isBusy={erase.isBusy}
      problem={erase.problem}
      onSubmit={(reason) => erase.go({ body: { ...patient, reason, results } })}
    >
      <Text fw={600}>{erasure.eraseText}</Text>
    </ReasonForm>
  );
}
