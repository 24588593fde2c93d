/**
 * trace: asks every gateway for the study or job, and the hub for each job, and joins them.
 * Decides that a job of the gateway and one of the hub are the same only when job id and site
 * agree. Invariant: a peer that does not answer is named, never silently left out.
 */
import {
  gatewayStatusSchema,
  hubJobsSchema,
  studyTraceSchema,
  type GatewayStatus,
  type HubJob,
  type StudyTrace,
} from '@aifi/contracts-rest';
import { isUid } from '@aifi/shared-kernel';
import { ask } from './api-client.js';
import type { Command } from './command-line.js';
import type { PeerFault, TraceDocument, TracedStudy } from './documents.js';
import { explainJob } from './explain-job.js';
import { Times } from './plain-values.js';
import type { Terminal } from './terminal.js';

export async function traceDocument(command: Command, terminal: Terminal): Promise<TraceDocument> {
  const tracer = new Tracer(command, terminal);
  return tracer.document();
}

class Tracer {
  readonly #unreachable: PeerFault[] = [];

  constructor(
    private readonly command: Command,
    private readonly terminal: Terminal,
  ) {}

  async document(): Promise<TraceDocument> {
    const { id, gateways } = this.command;
    const asked = await Promise.all(gateways.map((url) => this.#askGateway(url)));
    const studies: TracedStudy[] = [];
    for (const { url, trace, status } of asked) {
      if (trace) studies.push(await this.#join(url, trace, status));
    }
    const isAtHubOnly = studies.length === 0 && !isUid(id);
    const hubJobs = isAtHubOnly ? ((await this.#askHub(id)) ?? []) : [];
    const found = studies.length + hubJobs.length > 0;
    const refusals = asked.flatMap(({ status }) =>
      status && !found ? status.refusals.map((one) => ({ siteId: status.siteId, ...one })) : [],
    );
    const unreachable = this.#unreachable;
    return { schema: 'aifictl.trace.v1', id, found, studies, hubJobs, refusals, unreachable };
  }

  async #askGateway(url: string): Promise<{
    readonly url: string;
    readonly trace: StudyTrace | undefined;
    readonly status: GatewayStatus | undefined;
  }> {
    const { id } = this.command;
    const name = encodeURIComponent(id);
    const path = isUid(id) ? `api/v1/studies/${name}` : `api/v1/jobs/${name}/trace`;
    const { fetch } = this.terminal;
    const trace = await ask(fetch, { url, path }, studyTraceSchema);
    if (trace.kind === 'unreachable') this.#note({ role: 'gateway', url, why: trace.why });
    const status =
      trace.kind === 'unreachable'
        ? trace
        : await ask(fetch, { url, path: 'api/v1/status' }, gatewayStatusSchema);
    return {
      url,
      trace: trace.kind === 'found' ? trace.document : undefined,
      status: status.kind === 'found' ? status.document : undefined,
    };
  }

  /** Jobs of this id at the hub; undefined when it is not asked or does not answer. */
  async #askHub(jobId: string): Promise<HubJob[] | undefined> {
    const { hub: url } = this.command;
    if (url === undefined) return undefined;
    const path = `api/v1/jobs/${encodeURIComponent(jobId)}`;
    const answer = await ask(this.terminal.fetch, { url, path }, hubJobsSchema);
    if (answer.kind === 'found') return answer.document.jobs;
    if (answer.kind === 'absent') return [];
    this.#note({ role: 'hub', url, why: answer.why });
    return undefined;
  }

  #note(fault: PeerFault): void {
    const isKnown = this.#unreachable.some(({ url }) => url === fault.url);
    if (!isKnown) this.#unreachable.push(fault);
  }

  async #join(
    gateway: string,
    trace: StudyTrace,
    status: GatewayStatus | undefined,
  ): Promise<TracedStudy> {
    const times = new Times(this.terminal.timeZone, trace.received.firstAtMs);
    const jobs: TracedStudy['jobs'] = [];
    for (const job of trace.jobs) {
      // A job that was never uploaded has not reached the hub: there is nothing to ask.
      const known = job.upload ? await this.#askHub(job.jobId) : [];
      const hub = known && (known.find(({ siteId }) => siteId === trace.siteId) ?? null);
      const explained = explainJob({ job, hub, status }, times);
      jobs.push({ jobId: job.jobId, ...explained, hub: hub ?? null });
    }
    return { gateway, trace, jobs, next: nextOfStudy(trace) };
  }
}

/** A study is not with any product yet while it arrives or while there are no rules. */
function nextOfStudy({ revision, received, jobs }: StudyTrace): string | null {
  if (received.open > 0) {
    return 'waiting for the study to be quiet: images still arrive or have just arrived';
  }
  return revision > 0 && jobs.length === 0
    ? 'waiting for routing rules of the hub, or no product is deployed here'
    : null;
}
