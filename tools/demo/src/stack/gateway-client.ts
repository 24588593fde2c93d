/**
 * GatewayClient: what a gateway's page says about its studies.
 * Decides nothing; the shapes are those of the gateway's contract (libs/contracts/rest), reduced to
 * what a run needs. Invariant: a gateway that does not answer is undefined, never an empty list.
 */
import { gatewayRoutes, studyTraceSchema, type StudyTrace } from '@aifi/contracts-rest';
import { AifiError } from '@aifi/shared-kernel';
import type { ServerClient } from './server-client.js';

export interface GatewayResult {
  readonly role: string;
  readonly sopClassUid: string;
  readonly seriesInstanceUid: string;
  readonly sopInstanceUid: string;
}
export interface GatewayProduct {
  readonly product: string;
  readonly version: string;
  readonly jobId: string;
  readonly state: string;
  readonly code: string | null;
  readonly results: readonly GatewayResult[];
}
/** One entry of the journal; the first of the stage `receive` and its last stand for all of it. */
export interface JournalRow {
  readonly stage: string;
  readonly event: string;
  readonly jobId: string | null;
  /** @unit ms */
  readonly atMs: number;
}
/** The one object that tells a reader what was analysed, what not, and why. */
export interface GatewayStatusObject extends Omit<GatewayResult, 'role'> {
  /** VERIFIED: the PACS lists it. */
  readonly state: string;
}
export interface GatewayStudy {
  readonly studyInstanceUid: string;
  readonly receivedInstances: number;
  readonly revision: number;
  readonly state: string;
  readonly products: readonly GatewayProduct[];
  /** Null: none yet, or none owed. */
  readonly statusObject: GatewayStatusObject | null;
}

const { listStudies } = gatewayRoutes;

export class GatewayClient {
  constructor(readonly server: ServerClient) {}

  get url(): string {
    return this.server.url;
  }

  /** Every study of the gateway, or undefined while it does not answer (it may be restarting). */
  studies(): Promise<readonly GatewayStudy[] | undefined> {
    return this.#whileUp(() => this.server.list(listStudies.path, listStudies.response));
  }

  /** Every hop of one study; undefined while the gateway does not answer. */
  trace(studyInstanceUid: string): Promise<StudyTrace | undefined> {
    const path = `${listStudies.path}/${studyInstanceUid}`;
    return this.#whileUp(() => this.server.read(path, studyTraceSchema));
  }

  /** The journal of one study; empty while nothing is known of it. */
  async journal(studyInstanceUid: string): Promise<readonly JournalRow[]> {
    const trace = await this.trace(studyInstanceUid);
    if (!trace) return [];
    const { firstAtMs, lastAtMs } = trace.received;
    const receive = [firstAtMs, lastAtMs].map((atMs) => ({
      ...{ stage: 'receive', event: 'received', jobId: null, atMs },
    }));
    return [...receive, ...trace.journal];
  }

  /** What is no answer becomes undefined; a refusal is a defect of the run and stays a fault. */
  async #whileUp<T>(ask: () => Promise<T>): Promise<T | undefined> {
    try {
      return await ask();
    } catch (error) {
      const { code } = AifiError.from(error);
      if (code === 'PEER_UNAVAILABLE' || code === 'NOT_FOUND') return undefined;
      throw error;
    }
  }
}
