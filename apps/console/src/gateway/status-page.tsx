/**
 * Queue and disk: whether this gateway works, for hospital IT.
 * Decides what counts as nearly full. Invariant: no UID and no patient attribute.
 * Source: architecture 1 (hospital IT); gateway-status contract.
 */
import { SimpleGrid, Text } from '@mantine/core';
import { Fragment } from 'react';
import {
  gatewayRoutes,
  type DiskLevelName,
  type GatewayStatus,
  type RefusalView,
} from '@aifi/contracts-rest';
import { useAnswer } from '../api/use-answer.js';
import type { Tone } from '../format/hops.js';
import { useLanguage, useWords } from '../frame/language.js';
import { Page } from '../frame/page.js';
import { useSession } from '../frame/session.js';
import { AnswerView } from '../parts/answer-view.js';
import { Card } from '../parts/card.js';
import { DataTable, type Column } from '../parts/data-table.js';
import { Facts } from '../parts/facts.js';
import { codeWords } from '../parts/hop-list.js';
import { PageLink } from '../parts/page-link.js';
import { StateCounts } from '../parts/state-counts.js';
import { StateLabel } from '../parts/state-label.js';
import { At } from '../parts/when.js';
import { dimseWords } from './delivery-table.js';
import { STATUS_TOPICS } from './undelivered.js';

/** As `aifictl status` says it: below this a disk counts as full. @unit bytes */
const DISK_LOW_BYTES = 1_000_000_000;
const DISK_TONES: Readonly<Record<DiskLevelName, Tone>> = {
  ...{ normal: 'ok', warning: 'warn', 'refuse-routine': 'bad', 'refuse-all': 'bad' },
};
const LINK_TONES: Readonly<Record<GatewayStatus['link'], Tone>> = {
  ...{ up: 'ok', connecting: 'warn', down: 'bad' },
};
const BREAKER_TONES: Readonly<Record<GatewayStatus['pacsBreaker'], Tone>> = {
  ...{ closed: 'ok', open: 'bad', probe: 'warn' },
};

export function StatusPage() {
  const { status, studies } = useWords().gateway;
  const answer = useAnswer(gatewayRoutes.status, {}, { topics: STATUS_TOPICS });
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
  const { uplink, killState } = status;
  const { link, pacsBreaker, rules, spool, hubAnchors, deadLetters, pixelHolds, delivery } = status;
  return (
    <Facts
      rows={[
        [
          text.link,
          <Fragment key="link">
            <StateLabel tone={LINK_TONES[link]}>{links[link]}</StateLabel>
            {uplink?.refusedBy && <div>{words.link.refused(uplink.refusedBy)}</div>}
          </Fragment>,
        ],
        [
          text.pacs,
          <Fragment key="pacs">
            <StateLabel tone={BREAKER_TONES[pacsBreaker]}>{breakers[pacsBreaker]}</StateLabel>
            {pacsBreaker !== 'closed' && <div className="aifi-dimmed">{text.pacsAway}</div>}
          </Fragment>,
        ],
        [text.deadLetters, deadLetters && <Undelivered {...deadLetters} />],
        [text.pixelHolds, pixelHolds && <ToLookAt {...pixelHolds} />],
        [text.commitments, delivery && formats.number(delivery.openCommitments)],
        [text.disk, <Disk key="disk" status={status} />],
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
        [words.link.killState, killState && <KillSwitches told={killState} />],
        [text.anchors, hubAnchors && <Anchors anchors={hubAnchors} />],
        [text.studies, formats.number(status.studies)],
        [text.version, status.version],
        [text.asOfName, formats.exact(status.atMs)],
      ]}
    />
  );
}

/** The level, and what is refused because of it now. */
function Disk({ status: { disk, diskFreeBytes } }: { readonly status: GatewayStatus }) {
  const { words, formats } = useLanguage();
  const { status: text } = words.gateway;
  if (!disk) {
    const isLow = diskFreeBytes < DISK_LOW_BYTES;
    return (
      <>
        <StateLabel tone={isLow ? 'bad' : 'ok'}>{formats.size(diskFreeBytes)}</StateLabel>
        {isLow && <div>{text.diskLow}</div>}
      </>
    );
  }
  const { level, usedPercent, freeBytes } = disk;
  return (
    <>
      <StateLabel tone={DISK_TONES[level]}>{words.terms.diskLevels[level]}</StateLabel>{' '}
      {text.diskText(formats.size(freeBytes), formats.number(usedPercent))}
      <div className={level === 'normal' ? 'aifi-dimmed' : undefined}>
        {text.diskRefuses[level]}
      </div>
    </>
  );
}

function Undelivered({ count, oldestMs }: NonNullable<GatewayStatus['deadLetters']>) {
  const { words, formats } = useLanguage();
  const { acts } = useSession();
  const { status: text, nav } = words.gateway;
  if (count === 0 || oldestMs === null) return text.deadLettersNone;
  return (
    <>
      <StateLabel tone="bad">{formats.number(count)}</StateLabel>{' '}
      {text.deadLettersText(formats.exact(oldestMs))}{' '}
      {acts.includes('dead-letters.read') && (
        <PageLink to="/dead-letters">{nav.deadLetters}</PageLink>
      )}
    </>
  );
}

function ToLookAt({ count, oldestMs }: NonNullable<GatewayStatus['pixelHolds']>) {
  const { words, formats } = useLanguage();
  const { acts } = useSession();
  const { status: text, nav } = words.gateway;
  if (count === 0 || oldestMs === null) return text.pixelHoldsNone;
  return (
    <>
      <StateLabel tone="warn">{formats.number(count)}</StateLabel>{' '}
      {text.pixelHoldsText(formats.exact(oldestMs))}{' '}
      {acts.includes('pixel-holds.read') && <PageLink to="/pixel-holds">{nav.pixelHolds}</PageLink>}
    </>
  );
}

function KillSwitches({ told }: { readonly told: NonNullable<GatewayStatus['killState']> }) {
  const { link: text } = useWords();
  const minutes = told.ageMs === null ? null : Math.floor(told.ageMs / 60_000);
  const words = text.killStateText(told.sequence, minutes);
  return told.isStale ? (
    <StateLabel tone="warn">{`${words} ${text.killStateStale}`}</StateLabel>
  ) : (
    words
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
