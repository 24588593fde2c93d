/**
 * Patient extract: who saw the data of one patient, as a text for the patient.
 * Decides that the number of the patient goes in a body and that nothing of it stays: neither in
 * the address nor after the page is left. Source: NEN 7513; security specification 5.
 */
import { Button, CopyButton, Group, NativeSelect, Stack, Text, TextInput } from '@mantine/core';
import { useState, type FormEvent } from 'react';
import { gatewayRoutes, type AuditRecord, type RouteOutput } from '@aifi/contracts-rest';
import { useAct } from '../api/use-answer.js';
import { useLanguage, useWords } from '../frame/language.js';
import { Page } from '../frame/page.js';
import { Card } from '../parts/card.js';
import { Fault } from '../parts/fault.js';
import { StepUpGate } from '../parts/step-up.js';
import { AuditDetails } from '../pages/audit-details.js';
import { AuditTable } from '../pages/audit-page.js';
import { LANGUAGES, languageOf } from '../words/words.js';

type Extract = RouteOutput<typeof gatewayRoutes.patientExtract>;
const LANGUAGE_NAMES = { nl: 'Nederlands', en: 'English' } as const;

export function PatientExtractPage() {
  const { extract } = useWords().gateway;
  return (
    <Page title={extract.title} lead={extract.lead}>
      <StepUpGate>
        <ExtractForm />
      </StepUpGate>
    </Page>
  );
}

function ExtractForm() {
  const { language: own, words } = useLanguage();
  const { extract } = words.gateway;
  const [patientId, setPatientId] = useState('');
  const [language, setLanguage] = useState(own);
  const [answer, setAnswer] = useState<Extract>();
  const make = useAct(gatewayRoutes.patientExtract, setAnswer);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    setAnswer(undefined);
    make.go({ body: { patientId, language } });
  };
  return (
    <Stack>
      <form onSubmit={submit} className="aifi-filters">
        <TextInput
          {...{ label: extract.patientId, required: true, maxLength: 64, value: patientId }}
          autoComplete="off"
          onChange={(event) => setPatientId(event.currentTarget.value)}
        />
        <NativeSelect
          label={extract.language}
          value={language}
          onChange={(event) => setLanguage(languageOf(event.currentTarget.value))}
          data={LANGUAGES.map((value) => ({ value, label: LANGUAGE_NAMES[value] }))}
        />
        <Button type="submit" loading={make.isBusy}>
          {extract.make}
        </Button>
      </form>
      {make.problem && <Fault problem={make.problem} />}
      {answer && <ExtractView extract={answer} lang={language} />}
    </Stack>
  );
}

interface ExtractViewProps {
  readonly extract: Extract;
  readonly lang: string;
}
function ExtractView({ extract: { text, records }, lang }: ExtractViewProps) {
  const { gateway, frame } = useWords();
  const { extract } = gateway;
  const [chosen, setChosen] = useState<AuditRecord>();
  return (
    <Card title={extract.result}>
      <Stack>
        <pre className="aifi-text" lang={lang} tabIndex={0} aria-label={extract.result}>
          {text}
        </pre>
        <Group>
          <CopyButton value={text}>
            {({ copied, copy }) => (
              <Button variant="default" onClick={copy}>
                {copied ? frame.copied : extract.copy}
              </Button>
            )}
          </CopyButton>
          <Text c="dimmed">{extract.records(records.length)}</Text>
        </Group>
        <AuditTable rows={records} onOpen={setChosen} />
        <AuditDetails record={chosen} onClose={() => setChosen(undefined)} />
      </Stack>
    </Card>
  );
}
