/**
 * GatewayClient: what a gateway's page says about its studies.
 * Decides nothing; the shapes are those of the gateway's REST interface (apps/gateway).
 */
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
export interface JournalRow {
  readonly sequence: number;
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
  readonly journal: readonly JournalRow[];
}

/** Longest wait for an answer of a process on this machine. @unit ms */
const ANSWER_MS_MAX = 5_000;

export class GatewayClient {
  constructor(readonly url: string) {}

  /** Every study of the gateway, or undefined while it does not answer (it may be restarting). */
  async studies(): Promise<readonly GatewayStudy[] | undefined> {
    try {
      const signal = AbortSignal.timeout(ANSWER_MS_MAX);
      const response = await fetch(`${this.url}/api/v1/studies`, { signal });
      if (!response.ok) return undefined;
      return ((await response.json()) as { studies: GatewayStudy[] }).studies;
    } catch {
      return undefined;
    }
  }
}
