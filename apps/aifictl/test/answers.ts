/**
 * Answers of gateway and hub for tests, and a terminal that keeps what was printed.
 * Decides one study of two images with one product, at 10:22:01 UTC, which tests change by hand.
 */
import type {
  GatewayHop,
  GatewayJob,
  GatewayStatus,
  HubJob,
  StudyTrace,
} from '@aifi/contracts-rest';
import type { Terminal } from '../src/terminal.js';
import type { SavedTokens } from '../src/tokens.js';

export const GATEWAY = 'http://gateway-a';
export const HUB = 'http://hub';
export const UID = '1.2.3.4';
export const JOB = 'a'.repeat(32);
/** 2026-11-20 10:22:00 UTC. */
export const T0 = Date.UTC(2026, 10, 20, 10, 22, 0);
export const digest = (letter: string): string => letter.repeat(64);

const hop = (stage: string, event: string, seconds: number, detail = {}): GatewayHop => ({
  ...{ stage, event, detail },
  jobId: stage === 'assemble' ? null : JOB,
  atMs: T0 + seconds * 1_000,
});

/** Hops of a job up to the uplink, and back again. */
export const OUT: readonly GatewayHop[] = [
  hop('assemble', 'closed', 4, { revision: 1, instances: 2 }),
  hop('select', 'selected', 4.1, { product: 'meshnet-tissue', state: 'SELECTED' }),
  hop('spool', 'spooled', 5, { objects: 2, manifestSha256: digest('b'), state: 'SPOOLED' }),
];
export const BACK: readonly GatewayHop[] = [
  hop('uplink', 'uploaded', 6, { attempt: 2, state: 'UPLOADED' }),
  hop('downlink', 'returned', 12, { objects: 1, issue: 0, outcome: 'RESULT', state: 'RETURNED' }),
  hop('reidentify', 'reidentified', 13, { objects: 1, state: 'REIDENTIFIED' }),
  hop('deliver', 'delivered', 14, { objects: 1, issue: 0, state: 'RESULT_IN_PACS' }),
];

export function aJob(changes: Partial<GatewayJob> = {}): GatewayJob {
  return {
    ...{ jobId: JOB, product: 'meshnet-tissue', version: '1.0.0', modelDigest: digest('c') },
    ...{ lane: 'routine', revision: 1, state: 'SPOOLED', code: null, detail: null },
    ...{ createdAtMs: T0 + 4_100, terminalAtMs: null, deadlineAtMs: T0 + 3_604_100 },
    upload: {
      ...{ state: 'QUEUED', manifestSha256: digest('b'), inputDigest: digest('d') },
      ...{ objects: 2, acknowledged: 1, bytes: 2_000_000 },
      ...{ attempts: 3, nextAttemptAtMs: T0 + 31_000, lastFault: 'PEER_UNAVAILABLE' },
    },
    outcomes: [],
    deliveries: [],
    files: [
      { folder: 'spool', rows: 2, files: 2, bytes: 2_000_000 },
      { folder: 'inbound', rows: 0, files: 0, bytes: 0 },
      { folder: 'outgoing', rows: 0, files: 0, bytes: 0 },
    ],
    ...changes,
  };
}

export function aTrace(job: GatewayJob | undefined, journal: readonly GatewayHop[]): StudyTrace {
  return {
    ...{ siteId: 'site-a', studyInstanceUid: UID, modality: 'MR', revision: 1 },
    received: {
      ...{ instances: 2, open: 0, conflicts: 0, bytes: 2_100_000 },
      ...{ firstAtMs: T0 + 1_000, lastAtMs: T0 + 1_500, callingAeTitles: ['MR1'] },
    },
    files: { folder: 'incoming', rows: 2, files: 2, bytes: 2_100_000 },
    journal: [...journal],
    jobs: job ? [job] : [],
    statusObjects: [],
  };
}

export function aHubJob(changes: Partial<HubJob> = {}): HubJob {
  return {
    ...{ siteId: 'site-a', jobId: JOB, product: 'meshnet-tissue', version: '1.0.0' },
    ...{ modelDigest: digest('c'), lane: 'routine', revision: 1, state: 'QUEUED', code: null },
    manifestSha256: digest('b'),
    objects: { declared: 2, held: 2, bytes: 2_000_000 },
    times: {
      ...{ openedAtMs: T0 + 5_500, storedAtMs: T0 + 5_900, queuedAtMs: T0 + 6_000 },
      ...{ inferredAtMs: null, concludedAtMs: null, acknowledgedAtMs: null },
    },
    queue: {
      ...{ state: 'QUEUED', leaseEpoch: 2, attempts: 2, leaseUntilMs: null },
      ...{ nextAttemptAtMs: T0 + 40_000, lastFault: 'MODEL_FAILED' },
    },
    inference: null,
    outcomes: [],
    ...changes,
  };
}

export function aStatus(changes: Partial<GatewayStatus> = {}): GatewayStatus {
  return {
    ...{ siteId: 'site-a', purpose: 'demonstration', version: '0.1.0', atMs: T0 },
    rules: { sequence: 3, issuedAtMs: T0 - 3_600_000 },
    ...{ link: 'up', pacsBreaker: 'closed', diskFreeBytes: 50_000_000_000, studies: 3 },
    jobs: { RESULT_IN_PACS: 2, SPOOLED: 1 },
    spool: { jobs: 0, objects: 0, bytes: 0 },
    refusals: [],
    ...changes,
  };
}

/** One question as the terminal saw it. */
export interface Asked {
  readonly address: string;
  readonly method: string;
  readonly headers: Headers;
  readonly body: string;
}
export interface TestTerminal extends Terminal {
  /** Everything that was asked, in order. */
  readonly asked: readonly Asked[];
  /** Content by path; a test may put one there. */
  readonly disk: Map<string, string>;
  /** Sign-ins by server. */
  readonly saved: Map<string, SavedTokens>;
  printed(): string;
  complained(): string;
}
/** A document, a whole Response made anew each time, or null for a 404. */
export type TestAnswer = unknown;

/** A refusal as problem+json. */
export const aProblem = (status: number, code: string): (() => Response) => {
  const instance = 'urn:uuid:00000000-0000-4000-8000-000000000000';
  const problem = { type: 'about:blank', title: `fixed words of ${code}`, status, code, instance };
  return () => Response.json(problem, { status });
};

/** `answers`: by address; one without an answer does not answer. */
export function aTerminal(
  answers: Readonly<Record<string, TestAnswer>>,
  environment: Terminal['environment'] = {},
): TestTerminal {
  const [out, error, asked]: [string[], string[], Asked[]] = [[], [], []];
  const disk = new Map<string, string>();
  const saved = new Map<string, SavedTokens>();
  const fetcher = async (address: unknown, init: RequestInit = {}): Promise<Response> => {
    const { method = 'GET', body } = init;
    const headers = new Headers(init.headers);
    asked.push({ address: String(address), method, headers, body: String(body ?? '') });
    const answer = answers[String(address)];
    if (answer === undefined) throw new TypeError('fetch failed');
    if (typeof answer === 'function') return (answer as (init: RequestInit) => Response)(init);
    return answer === null
      ? Response.json({ status: 404 }, { status: 404 })
      : Response.json(answer);
  };
  const readText = (path: string): string => {
    const text = disk.get(path);
    if (text === undefined) throw new Error('no such file');
    return text;
  };
  return {
    ...{ environment, asked, disk, saved },
    out: (text) => void out.push(text),
    error: (text) => void error.push(text),
    fetch: fetcher as typeof fetch,
    nowMs: () => T0,
    timeZone: 'UTC',
    newKey: () => 'key-of-this-order',
    tokens: {
      read: (server) => saved.get(server),
      write: (tokens) => void saved.set(tokens.server, tokens),
      remove: (server) => saved.delete(server),
    },
    files: {
      readText,
      readBytes: (path) => Buffer.from(readText(path)),
      async *lines(path) {
        yield* readText(path).split('\n');
      },
      async write(path, content) {
        const chunks: Uint8Array[] = [];
        for await (const chunk of content) chunks.push(chunk);
        disk.set(path, Buffer.concat(chunks).toString('utf8'));
        return Buffer.concat(chunks).length;
      },
    },
    printed: () => out.join(''),
    complained: () => error.join(''),
  };
}
