/**
 * Objections: one patient by number, and a list that is taken over.
 * Decides that there is no list of patients to look at: a person asks for one number, and that is
 * recorded. Invariants: a number goes in a body, never in an address, and is gone with the page.
 * Source: governance specification 4.3 (OBJECTION); NEN 7513.
 */
import { Button, Stack, TextInput } from '@mantine/core';
import { useState, type FormEvent } from 'react';
import { gatewayRoutes, type RouteOutput } from '@aifi/contracts-rest';
import { useAct } from '../api/use-answer.js';
import { useWords } from '../frame/language.js';
import { Page } from '../frame/page.js';
import { useSession } from '../frame/session.js';
import { Card } from '../parts/card.js';
import { Fault } from '../parts/fault.js';
import { ObjectionList } from './objection-list.js';
import { PatientObjections } from './patient-objections.js';

export interface AskedPatient {
  readonly patientId: string;
  readonly issuer: string | null;
}
export type FoundObjections = RouteOutput<typeof gatewayRoutes.findObjections>;
interface Found {
  readonly patient: AskedPatient;
  readonly state: FoundObjections;
}

export function ObjectionsPage() {
  const { objections: text } = useWords();
  const { acts } = useSession();
  const mayChange = acts.includes('objection.set');
  return (
    <Page title={text.title} lead={text.lead}>
      <div className="aifi-stack">
        <OnePatient mayChange={mayChange} />
        {mayChange && (
          <Card title={text.listTitle}>
            <ObjectionList />
          </Card>
        )}
      </div>
    </Page>
  );
}

function OnePatient({ mayChange }: { readonly mayChange: boolean }) {
  const { objections: text } = useWords();
  const [patientId, setPatientId] = useState('');
  const [issuer, setIssuer] = useState('');
  const [found, setFound] = useState<Found>();
  const find = useAct(gatewayRoutes.findObjections, (state, { body }) =>
    setFound({ patient: { patientId: body.patientId, issuer: body.issuer ?? null }, state }),
  );
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    setFound(undefined);
    find.go({ body: { patientId, issuer: issuer.trim() || null } });
  };
  return (
    <Stack>
      <form onSubmit={submit} className="aifi-filters">
        <TextInput
          {...{ label: text.patientId, required: true, maxLength: 64, value: patientId }}
          autoComplete="off"
          onChange={(event) => setPatientId(event.currentTarget.value)}
        />
        <TextInput
          {...{ label: text.issuer, maxLength: 64, value: issuer, autoComplete: 'off' }}
          onChange={(event) => setIssuer(event.currentTarget.value)}
        />
        <Button type="submit" loading={find.isBusy}>
          {text.find}
        </Button>
      </form>
      {find.problem && <Fault problem={find.problem} />}
      {found && (
        <PatientObjections
          {...found}
          mayChange={mayChange}
          onChange={(state) => setFound({ ...found, state })}
        />
      )}
    </Stack>
  );
}
