/**
 * Status in plain text: each gateway and the hub, what is wrong, what was refused at the door.
 * Decides the words for a person at the hospital. Invariant: made from the document alone.
 */
import type { DiskLevelName, GatewayStatus, RefusalView } from '@aifi/contracts-rest';
import type { StatusDocument } from './documents.js';
import { refusalWords } from './fault-words.js';
import { columns, count, dimse, size, Times } from './plain-values.js';

const LINK_WORDS = { up: 'up', connecting: 'being opened', down: 'down' } as const;
const PACS_WORDS = {
  closed: 'answers or was not asked yet',
  open: 'does not answer, asked again every 30 seconds',
  probe: 'does not answer, asked again now',
} as const;

export function renderStatus({ gateways, hub }: StatusDocument, timeZone: string): string {
  const lines = gateways.flatMap(({ url, problems, status }) => [
    ...head('gateway', status?.siteId, { url, problems }),
    ...(status ? gatewayLines(status, timeZone) : []),
    '',
  ]);
  if (hub) {
    const { url, problems, status } = hub;
    lines.push(...head('hub', undefined, { url, problems }));
    if (status) {
      lines.push(`  version ${status.version}, ${status.purpose}, ${status.roles.join(' and ')}`);
      lines.push(`  jobs: ${jobWords(status.jobs)}`);
    }
  }
  return `${lines.join('\n').trimEnd()}\n`;
}

function head(
  role: string,
  name: string | undefined,
  { url, problems }: { readonly url: string; readonly problems: readonly string[] },
): string[] {
  const verdict = problems.length === 0 ? 'well' : 'NOT WELL';
  const title = [role, name, `(${url}):`, verdict].filter((part) => part !== undefined).join(' ');
  return [title, ...problems.map((problem) => `  ! ${problem}`)];
}

function gatewayLines(status: GatewayStatus, timeZone: string): string[] {
  const times = new Times(timeZone, status.atMs);
  const { rules, spool, refusals } = status;
  const inForce = rules
    ? `routing rules ${rules.sequence} of ${times.dated(rules.issuedAtMs)}`
    : 'no routing rules yet';
  const owed = `${count(spool.jobs, 'study')} with ${count(spool.objects, 'object')}`;
  return [
    `  version ${status.version}, ${status.purpose}, ${inForce}`,
    `  hub link ${LINK_WORDS[status.link]}; PACS ${PACS_WORDS[status.pacsBreaker]}; ` +
      `disk ${diskWords(status)}`,
    ...deliveryLines(status, times),
    `  ${count(status.studies, 'study')}; jobs: ${jobWords(status.jobs)}`,
    spool.jobs === 0
      ? '  nothing waits to go to the hub'
      : `  still to go to the hub: ${owed}, ${size(spool.bytes)}`,
    ...(refusals.length === 0
      ? ['  nothing was refused at the door']
      : [
          `  refused at the door (times in ${timeZone}); nothing of it is kept, the sender has it:`,
          ...refusalLines(refusals, timeZone),
        ]),
  ];
}

function diskWords({ diskFreeBytes, disk }: GatewayStatus): string {
  const free = `${size(diskFreeBytes)} free`;
  return disk ? `${free}, ${disk.usedPercent} % used${LEVEL_WORDS[disk.level]}` : free;
}
const LEVEL_WORDS: Readonly<Record<DiskLevelName, string>> = {
  normal: '',
  warning: ': filling up',
  'refuse-routine': ': routine studies are refused',
  'refuse-all': ': all new studies are refused',
};

/** Of a gateway that tells them. */
function deliveryLines({ deadLetters, delivery }: GatewayStatus, times: Times): string[] {
  const { count: dead = 0, oldestMs = null } = deadLetters ?? {};
  const open = delivery?.openCommitments ?? 0;
  return [
    ...(dead === 0 || oldestMs === null
      ? []
      : [`  not taken by the PACS: ${count(dead, 'object')}, oldest of ${times.dated(oldestMs)}`]),
    ...(open === 0 ? [] : [`  the PACS still has to confirm ${count(open, 'storage commitment')}`]),
  ];
}

function jobWords(jobs: Readonly<Record<string, number>>): string {
  const parts = Object.entries(jobs).map(([state, n]) => `${state} ${n}`);
  return parts.length === 0 ? 'none' : parts.join(', ');
}

/** One line per minute, caller and reason. */
export function refusalLines(
  refusals: readonly (RefusalView & { readonly siteId?: string })[],
  timeZone: string,
): string[] {
  const times = new Times(timeZone, refusals[0]?.atMs ?? 0);
  const rows = refusals.map((refusal) => [
    times.dated(refusal.atMs).slice(0, -':00'.length),
    ...(refusal.siteId === undefined ? [] : [refusal.siteId]),
    refusal.callingAeTitle === '' ? 'no caller named' : refusal.callingAeTitle,
    refusal.dimseStatus === null ? '-' : dimse(refusal.dimseStatus),
    `${refusal.count}x`,
    refusalWords(refusal),
  ]);
  return columns(rows).map((line) => `    ${line}`);
}
