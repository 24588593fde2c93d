/**
 * Checker: was anything lost, doubled or given to somebody else? Pure, over a history.
 * Decides by what the senders were answered, what the gateways account for and what the PACS hold,
 * never by what a process logged. Every line is one violation.
 * Source: reliability specification 1 (H1, H2, T-MIS-1, T-MIS-3), 2 ("Invariants asserted at run
 * time"), 3 (offline checker: accepted, delivered, order, identity, audit).
 */
import type { Account, AccountedJob, EventOf, HistoryEvent, PacsObject } from './history.js';

export interface Figures {
  readonly accepted: number;
  readonly delivered: number;
  /** Results whose pixels said where they belong. */
  readonly oracles: number;
  /** Ended without a result for a reason that a fault of the run explains. */
  readonly notAnalysed: number;
  readonly held: number;
}
export interface Verdict {
  readonly problems: readonly string[];
  readonly figures: Figures;
}

/** A model process that was killed each time it ran. */
const EXPLAINED = 'MODEL_FAILED';
const HELD = 'QUARANTINED_PIXELS';
type Sent = EventOf<'sent'>;
type Image = EventOf<'image'>;

const keyOf = (site: string, uid: string): string => `${site} ${uid}`;
function byKey<T>(items: readonly T[], key: (item: T) => string): Map<string, T[]> {
  const map = new Map<string, T[]>();
  for (const item of items) {
    const list = map.get(key(item));
    if (list) list.push(item);
    else map.set(key(item), [item]);
  }
  return map;
}

/** What is known of one study at one site. */
interface Case {
  readonly sent: Sent;
  readonly images: readonly Image[];
  readonly acceptedImages: readonly Image[];
  readonly account: Account | undefined;
  readonly objects: readonly PacsObject[];
  readonly siteIndex: number;
  readonly mayFail: boolean;
  readonly audited: ReadonlyMap<string, number>;
}

export function check(events: readonly HistoryEvent[]): Verdict {
  const of = <K extends HistoryEvent['kind']>(kind: K): EventOf<K>[] =>
    events.filter((event): event is EventOf<K> => event.kind === kind);
  const siteIds = of('run')[0]?.siteIds ?? [];
  const accepted = new Set(of('accepted').map((e) => keyOf(e.site, e.sopInstanceUid)));
  const accounts = byKey<Account>(of('account'), (e) => keyOf(e.site, e.studyUid));
  const objects = byKey<PacsObject>(of('object'), (e) => keyOf(e.site, e.studyUid));
  const images = byKey(of('image'), (e) => keyOf(e.site, e.studyUid));
  const audited = new Map(
    of('audited').map((e) => [`${keyOf(e.site, e.jobId)} ${e.event}`, e.count]),
  );
  const mayFail = of('kill').some(({ target }) => target === 'model' || target === 'worker');
  const counted = { accepted: 0, delivered: 0, oracles: 0, notAnalysed: 0, held: 0 };
  const cases = of('sent').map((sent): Case => {
    const key = keyOf(sent.site, sent.studyUid);
    const own = images.get(key) ?? [];
    return {
      ...{ sent, images: own, mayFail, audited },
      acceptedImages: own.filter((e) => accepted.has(keyOf(e.site, e.sopInstanceUid))),
      account: accounts.get(key)?.[0],
      objects: objects.get(key) ?? [],
      siteIndex: siteIds.indexOf(sent.site),
    };
  });
  const problems = cases.flatMap((one) => problemsOf(one, counted));
  const known = new Set(cases.map(({ sent }) => keyOf(sent.site, sent.studyUid)));
  const strange = [...objects.keys()].filter((key) => !known.has(key));
  problems.push(...strange.map((key) => `${key}: objects of a study that was never sent here`));
  const settled = of('settled')[0];
  if (!settled) problems.push('the run did not come to its end');
  problems.push(...doubledUids(of('object')));
  return { problems, figures: counted };
}

type Counts = { -readonly [K in keyof Figures]: number };

function problemsOf(one: Case, counts: Counts): string[] {
  const { sent, account, acceptedImages } = one;
  const lines = objectProblems(one);
  if (acceptedImages.length > 0) {
    counts.accepted += 1;
    if (!account) lines.push('lost: accepted, and the gateway knows nothing of it');
    else lines.push(...accountProblems(one, account, counts));
  }
  if (account) lines.push(...resultProblems(one, account, counts));
  return lines.map((line) => `${sent.site} study ${sent.study} (${sent.studyKind}): ${line}`);
}

/** The end of the study, by the gateway. */
function accountProblems(one: Case, account: Account, counts: Counts): string[] {
  const { sent, acceptedImages, images, mayFail } = one;
  const lines: string[] = [];
  if (account.instances < acceptedImages.length || account.instances > images.length) {
    lines.push(`${account.instances} images, ${acceptedImages.length} were accepted`);
  }
  if (account.conflicts > 0) lines.push(`${account.conflicts} images with other bytes`);
  if (account.open > 0) lines.push('images in no revision');
  const jobs = account.jobs.filter(({ revision }) => revision === account.revision);
  const eligible = jobs.filter(({ product }) => product === sent.product);
  if (eligible.length !== 1) lines.push(`${eligible.length} jobs of ${sent.product}`);
  for (const job of jobs) {
    const end = `${job.state}${job.code ? ` (${job.code})` : ''}`;
    if (job.product !== sent.product) {
      if (job.state !== 'NOT_ELIGIBLE_LOGGED') lines.push(`${job.product} ends as ${end}`);
    } else if (sent.studyKind === 'held') {
      if (job.code === HELD) counts.held += 1;
      else lines.push(`was to wait for a person, is ${end}`);
    } else if (job.state === 'RESULT_IN_PACS') counts.delivered += 1;
    else if (job.code === EXPLAINED && mayFail) counts.notAnalysed += 1;
    else lines.push(`not at its end: ${end}`);
  }
  const told = account.statusObjects.at(-1);
  const isOwed = sent.studyKind !== 'held';
  if (isOwed && told?.state !== 'VERIFIED') {
    lines.push(`status object is ${told?.state ?? 'none'}`);
  }
  return lines;
}

/** Results exactly once, in the order of revisions, each store on record. */
function resultProblems(one: Case, account: Account, counts: Counts): string[] {
  const { objects, sent } = one;
  const lines: string[] = [];
  const orderOf = new Map(objects.map((object) => [object.sopInstanceUid, object.order]));
  let lastOfOlder = -1;
  const jobs = [...account.jobs].sort((a, b) => a.revision - b.revision);
  for (const job of jobs) {
    if (job.revision < account.revision && !hasEnd(job, jobs)) {
      lines.push(`a job of revision ${job.revision} has no end: ${job.state}`);
    }
    const isInPacs = job.state === 'RESULT_IN_PACS';
    const orders = job.deliveries.flatMap(
      ({ sopInstanceUid }) => orderOf.get(sopInstanceUid) ?? [],
    );
    if (isInPacs) lines.push(...missingResults(job, orderOf));
    const ends = account.journal.filter(
      ({ stage, event, jobId }) =>
        jobId === job.jobId && stage === 'deliver' && event === 'delivered',
    ).length;
    if (isInPacs && ends !== 1) lines.push(`${ends} ends of one job in the journal`);
    const records = one.audited.get(`${keyOf(sent.site, job.jobId)} delivered`) ?? 0;
    if (isInPacs && records !== 1) lines.push(`${records} records of the audit for one delivery`);
    if (job.product !== sent.product) continue;
    if (orders.some((order) => order < lastOfOlder)) {
      lines.push('a result of an older revision came after a newer one');
    }
    lastOfOlder = Math.max(lastOfOlder, ...orders);
    if (isInPacs) lines.push(...oracleProblems(one, job, counts));
  }
  for (const { state, sopInstanceUid } of account.statusObjects) {
    if (state === 'VERIFIED' && !orderOf.has(sopInstanceUid)) lines.push('a status object is lost');
  }
  return lines;
}

const ENDS = ['RESULT_IN_PACS', 'NOT_ANALYSED_NOTIFIED', 'NOT_ELIGIBLE_LOGGED'];

/** An end of its own, or overtaken: the result of a newer revision is there, none may follow. */
function hasEnd(job: AccountedJob, jobs: readonly AccountedJob[]): boolean {
  const isOvertaken = jobs.some(
    ({ product, revision, state }) =>
      product === job.product && revision > job.revision && state === 'RESULT_IN_PACS',
  );
  return ENDS.includes(job.state) || isOvertaken;
}

function missingResults(job: AccountedJob, orderOf: ReadonlyMap<string, number>): string[] {
  const lines: string[] = [];
  const { deliveries } = job;
  if (deliveries.length === 0) lines.push('a job in the PACS without results');
  for (const { sopInstanceUid, state } of deliveries) {
    if (state !== 'VERIFIED') lines.push(`a result is ${state}`);
    if (!orderOf.has(sopInstanceUid)) lines.push('lost: a result is not in the PACS');
  }
  const roles = deliveries.map(({ issue, index, role }) => `${issue} ${index} ${role}`);
  if (new Set(roles).size !== roles.length) lines.push('doubled: a result of one role twice');
  if (new Set(deliveries.map(({ issue }) => issue)).size > 1) lines.push('doubled: two issues');
  return lines;
}

/** What the model read must be this study's own images, all of its revision. */
function oracleProblems(one: Case, job: AccountedJob, counts: Counts): string[] {
  const { objects, sent, siteIndex, images } = one;
  const own = new Set(job.deliveries.map(({ sopInstanceUid }) => sopInstanceUid));
  const read = objects
    .filter(({ sopInstanceUid }) => own.has(sopInstanceUid))
    .flatMap(({ oracle }) => oracle);
  if (read.length === 0) return ['no result says what the model read'];
  const lines: string[] = [];
  for (const told of read) {
    if (!told) lines.push('a result whose boxes are of no one picture');
    else if (told.site !== siteIndex || told.study !== sent.study) {
      lines.push(`MISDELIVERED: made from study ${told.study} of site ${told.site}`);
    } else if (!images.some(({ image }) => image === told.image)) {
      lines.push(`MISDELIVERED: made from image ${told.image}, which it does not have`);
    } else counts.oracles += 1;
  }
  return lines;
}

/** Every object in the PACS: once, of this patient, an original or a result of an own job. */
function objectProblems(one: Case): string[] {
  const { sent, images, account, objects } = one;
  const lines: string[] = [];
  const originals = new Set(images.map(({ sopInstanceUid }) => sopInstanceUid));
  const owners = new Map<string, string | undefined>();
  for (const job of account?.jobs ?? []) {
    for (const { sopInstanceUid } of job.deliveries) owners.set(sopInstanceUid, job.jobId);
  }
  for (const { sopInstanceUid } of account?.statusObjects ?? []) {
    owners.set(sopInstanceUid, undefined);
  }
  for (const { sopInstanceUid, patientId, issuer, jobText } of objects) {
    if (patientId !== sent.patientId || issuer !== sent.issuer) {
      lines.push('MISDELIVERED: an object of another patient');
    }
    if (originals.has(sopInstanceUid)) continue;
    if (!owners.has(sopInstanceUid)) lines.push('an object that no job of this gateway has made');
    const jobId = owners.get(sopInstanceUid);
    if (jobId !== undefined && !jobText.includes(jobId)) lines.push('a result of another job');
  }
  const held = new Set(objects.map(({ sopInstanceUid }) => sopInstanceUid));
  const gone = [...originals].filter((uid) => !held.has(uid)).length;
  if (gone > 0) lines.push(`${gone} originals are not in their own PACS`);
  return lines;
}

function doubledUids(objects: readonly PacsObject[]): string[] {
  const groups = byKey(objects, ({ site, sopInstanceUid }) => keyOf(site, sopInstanceUid));
  const doubled = [...groups].filter(([, group]) => group.length > 1);
  return doubled.map(([key, group]) => `${key}: doubled: ${group.length} times in the PACS`);
}
