/**
 * Link: certificate, authorities and way to the hub, for hospital IT, and joining with a token.
 * Decides that why the hub is not reached stands first, with what to ask the network people for.
 * Invariants: a token is in a form and a body only, and the form forgets it when it is closed.
 */
import { Button, Stack, Text, Textarea } from '@mantine/core';
import { useState, type FormEvent } from 'react';
import {
  exemptionLines,
  gatewayRoutes,
  linkFindingWords,
  type GatewayLinkView,
  type LinkFinding,
} from '@aifi/contracts-rest';
import { useAct, useAnswer } from '../api/use-answer.js';
import { useLanguage, useWords } from '../frame/language.js';
import { useNotice } from '../frame/notices.js';
import { Page } from '../frame/page.js';
import { useSession } from '../frame/session.js';
import { AnswerView } from '../parts/answer-view.js';
import { Card } from '../parts/card.js';
import { Dialog } from '../parts/dialog.js';
import { Facts } from '../parts/facts.js';
import { Fault } from '../parts/fault.js';
import { StateLabel } from '../parts/state-label.js';
import { StepUpGate } from '../parts/step-up.js';
import { STATUS_TOPICS } from './undelivered.js';

const LINK_TONES = { up: 'ok', connecting: 'warn', down: 'bad' } as const;
const ALARM_TONES = {
  ...({ none: 'ok', soon: 'warn', urgent: 'bad', critical: 'bad', expired: 'bad' } as const),
};

export function LinkPage() {
  const { link: text } = useWords();
  const { acts } = useSession();
  const [isJoining, setJoining] = useState(false);
  const answer = useAnswer(gatewayRoutes.link, {}, { topics: STATUS_TOPICS });
  const mayJoin = acts.includes('link.join') && answer.data?.mode !== 'files';
  const close = (): void => {
    setJoining(false);
    void answer.refetch();
  };
  const actions = mayJoin && <Button onClick={() => setJoining(true)}>{text.join}</Button>;
  return (
    <Page title={text.title} lead={text.lead} actions={actions}>
      <AnswerView answer={answer}>
        {(view) => (
          <div className="aifi-stack">
            {view.finding && <Finding finding={view.finding} />}
            <Card title={text.facts}>
              <LinkFacts view={view} />
            </Card>
          </div>
        )}
      </AnswerView>
      <Dialog isOpen={isJoining} title={text.joinTitle} onClose={close}>
        <StepUpGate>
          <Join onDone={close} />
        </StepUpGate>
      </Dialog>
    </Page>
  );
}

function Finding({ finding }: { readonly finding: LinkFinding }) {
  const { link: text } = useWords();
  const { language } = useLanguage();
  const { code, setting, presented } = finding;
  const ask = exemptionLines(finding);
  return (
    <Card title={text.finding}>
      <Stack gap="xs">
        <StateLabel tone="bad">{code}</StateLabel>
        <Text>{linkFindingWords(code)?.[language] ?? code}</Text>
        {setting !== null && <Text>{text.setting(setting)}</Text>}
        {presented && <Text>{text.shown(presented.subject, presented.issuer)}</Text>}
        {ask.length > 0 && (
          <>
            <Text fw={600}>{text.ask}</Text>
            <pre>{ask.join('\n')}</pre>
          </>
        )}
      </Stack>
    </Card>
  );
}

function LinkFacts({ view }: { readonly view: GatewayLinkView }) {
  const { words, formats } = useLanguage();
  const { link: text } = words;
  const { certificate: own, proxy, state } = view;
  const at = (ms: number | null): string | null => (ms === null ? null : formats.exact(ms));
  return (
    <Facts
      rows={[
        [
          text.state,
          <StateLabel key="state" tone={LINK_TONES[state]}>
            {words.terms.links[state]}
          </StateLabel>,
        ],
        [text.mode, text.modes[view.mode]],
        [text.hub, view.hub],
        [text.serverName, view.serverName],
        [text.proxy, proxy ? proxyText(proxy, text.proxyName) : text.proxyNone],
        [
          text.daysLeft,
          own && (
            <>
              {formats.number(own.daysLeft)}{' '}
              <StateLabel tone={ALARM_TONES[own.alarm]}>{text.alarms[own.alarm]}</StateLabel>
            </>
          ),
        ],
        [text.serial, own?.serialNumber],
        [text.renewAt, at(own?.renewAtMs ?? null)],
        [text.joinedAt, at(view.joinedAtMs)],
        [text.lastContact, at(view.lastContactAtMs) ?? text.lastContactNone],
        [text.trustChecked, at(view.trustCheckedAtMs)],
        [
          text.anchors,
          view.trustAnchors.map(({ subject, fingerprint }) => (
            <div key={fingerprint}>
              {subject} <span className="aifi-dimmed">{fingerprint.slice(0, 16)}</span>
            </div>
          )),
        ],
      ]}
    />
  );
}

const proxyText = (
  { url, isAuthenticated }: NonNullable<GatewayLinkView['proxy']>,
  withName: (url: string) => string,
): string => (isAuthenticated ? withName(url) : url);

function Join({ onDone }: { readonly onDone: () => void }) {
  const { link: text } = useWords();
  const tell = useNotice();
  const [token, setToken] = useState('');
  const join = useAct(gatewayRoutes.joinLink, () => {
    tell(text.joined);
    onDone();
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    join.go({ body: { token: token.trim() } });
  };
  return (
    <form onSubmit={submit}>
      <Stack gap="sm">
        <Text>{text.joinText}</Text>
        <Textarea
          {...{ label: text.token, required: true, rows: 4, maxLength: 4096, value: token }}
          {...{ autoComplete: 'off', spellCheck: false }}
          onChange={(event) => setToken(event.currentTarget.value)}
        />
        {join.problem && <Fault problem={join.problem} />}
        <Button type="submit" loading={join.isBusy}>
          {text.join}
        </Button>
      </Stack>
    </form>
  );
}
