/**
 * Queue and disk: whether this gateway works, for hospital IT.
 * Decides what counts as nearly full. Invariant: no UID and no patient attribute.
 * Source: architecture 1 (hospital IT); gateway-status contract.
 */
import { SimpleGrid, Text } from '@mantine/core';
import { Fragment } from 'react';
import { gatewayRoutes, type GatewayStatus, type RefusalView } from '@aifi/contracts-rest';
import { useAnswer } from '../api/use-answer.js';
import type { Tone } from '../format/hops.js';
import { useLanguage, useWords } from '../frame/language.js';
import { Page } from '../frame/page.js';
import { AnswerView } from '../parts/answer-view.js';
import { Card } from '../parts/card.js';
import { DataTable, type Column } from '../parts/data-table.js';
import { Facts } from '../parts/facts.js';
import { codeWords } from '../parts/hop-list.js';
import { StateCounts } from '../parts/state-counts.js';
import { StateLabel } from '../parts/state-label.js';
import { At } from '../parts/when.js';
import { dimseWords } from './delivery-table.js';

/** As `aifictl status` says it: below this a disk counts as full. @unit bytes */
const DISK_LOW_BYTES = 1_000_000_000;
const LINK_TONES: Readonly<Record<GatewayStatus['link'], Tone>> = {
  ...{ up: 'ok', connecting: 'warn', down: 'bad' },
};
const BREAKER_TONES: Readonly<Record<GatewayStatus['pacsBreaker'], Tone>> = {
  ...{ closed: 'ok', open: 'bad', probe: 'warn' },
};

export function StatusPage() {
  const { status, studies } = useWords().gateway;
  const topics = ['status', 'studies'] as const;
  const answer = useAnswer(gatewayRoutes.status, {}, { topics });
  return (
    <Page title={status.title} lead={status.lead}>
      <AnswerView answer={answer}>
        {(data) => (
          <div className="aifi-stack">
            <SimpleGrid cols={{ base: 1, lg: 2 }}>
              <Card title={`${status.site} ${data.siteId}`}>
                <StatusFacts status={data} />
              </Card>
              <Card title={status.jobs}>
                <StateCounts
                  caption={status.jobsCaption}
                  counts={data.jobs}
                  empty={studies.undecided}
                />
              </Card>
            </SimpleGrid>
            <Card title={status.refusals}>
              <Text mb="sm">{status.refusalsText}</Text>
              <Refusals rows={data.refusals} />
            </Card>
          </div>
        )}
      </AnswerView>
    </Page>
  );
}

function StatusFacts({ status }: { readonly status: GatewayStatus }) {
  const { words, formats } = useLanguage();
  const { status: text } = words.gateway;
  const { links, breakers } = words.terms;
  const { link, pacsBreaker, rules, spool, diskFreeBytes, hubAnchors } = status;
  const isLow = diskFreeBytes < DISK_LOW_BYTES;
  return (
    <Facts
      rows={[
        [
          text.link,
          <StateLabel key="link" tone={LINK_TONES[link]}>
            {links[link]}
          </StateLabel>,
        ],
        [
          text.pacs,
          <Fragment key="pacs">
            <StateLabel tone={BREAKER_TONES[pacsBreaker]}>{breakers[pacsBreaker]}</StateLabel>
            {pacsBreaker !== 'closed' && <div className="aifi-dimmed">{text.pacsAway}</div>}
          </Fragment>,
        ],
        [
          text.disk,
          <Fragment key="disk">
            <StateLabel tone={isLow ? 'bad' : 'ok'}>{formats.size(diskFreeBytes)}</StateLabel>
            {isLow && <div>{text.diskLow}</div>}
          </Fragment>,
        ],
        [
          text.spool,
          spool.jobs === 0
            ? text.spoolEmpty
            : text.spoolText(spool.jobs, spool.objects, formats.size(spool.bytes)),
        ],
        [
          text.rules,
          rules ? (
            text.rulesText(rules.sequence, formats.exact(rules.issuedAtMs))
          ) : (
            <StateLabel tone="warn">{text.noRules}</StateLabel>
          ),
        ],
        [text.anchors, hubAnchors && <Anchors anchors={hubAnchors} />],
        [text.studies, formats.number(status.studies)],
        [text.version, status.version],
        [text.asOfName, formats.exact(status.atMs)],
      ]}
    />
  );
}

interface AnchorsProps {
  readonly anchors: NonNullable<GatewayStatus['hubAnchors']>;
}
/** A contradiction means that the hub's audit log was changed after the fact. */
function Anchors({ anchors: { lastDay, contradictions } }: AnchorsProps) {
  const { words, formats } = useLanguage();
  const { status: text } = words.gateway;
  if (contradictions > 0) {
    return <StateLabel tone="bad">{text.anchorsBad(contradictions)}</StateLabel>;
  }
  if (lastDay === null) return text.anchorsNone;
  return text.anchorsText(formats.dicomDate(lastDay.replaceAll('-', '')));
}

function Refusals({ rows }: { readonly rows: readonly RefusalView[] }) {
  const state = useLanguage();
  const { words, formats } = state;
  const { status: text } = words.gateway;
  const known: Readonly<Record<string, string>> = words.terms.refusals;
  const columns: readonly Column<RefusalView>[] = [
    { key: 'at', header: text.at, cell: ({ atMs }) => <At atMs={atMs} /> },
    {
      ...{ key: 'caller', header: text.caller, isRowHeader: true },
      cell: ({ callingAeTitle }) => callingAeTitle || words.frame.unknown,
    },
    {
      ...{ key: 'what', header: text.what },
      cell: ({ what, code }) => known[`${what}/${code}`] ?? known[what] ?? codeWords(code, state),
    },
    {
      ...{ key: 'dimse', header: text.dimse },
      cell: ({ dimseStatus }) => dimseWords(dimseStatus),
    },
    {
      ...{ key: 'times', header: text.times, isNumber: true },
      cell: ({ count }) => formats.number(count),
    },
  ];
  return (
    <DataTable
      caption={text.refusalsCaption}
      columns={columns}
      rows={rows}
      rowKey={(one) => `${one.atMs} ${one.callingAeTitle} ${one.what} ${one.code}`}
      empty={text.refusalsNone}
      minWidth={640}
    />
  );
}
