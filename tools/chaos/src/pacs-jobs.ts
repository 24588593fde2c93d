/**
 * What a run asks of an Orthanc beyond the demonstration: transfers with their end, and everything
 * that it holds in the order in which it came.
 * Decides that a transfer counts only when Orthanc says that each C-STORE was answered well.
 * Source: Orthanc Book, REST API (/modalities/{name}/store, /jobs/{id}, /changes).
 */
import type { OrthancClient } from '@aifi/demo';
import { AifiError, systemClock } from '@aifi/shared-kernel';

const LOOK_MS = 100;
/** A transfer into a black hole ends by Orthanc's own timeout. @unit ms */
const JOB_MS_MAX = 60_000;
const PAGE = 500;

interface Job {
  readonly State: 'Pending' | 'Running' | 'Success' | 'Failure' | 'Paused' | 'Retry';
  readonly Content?: { readonly FailedInstancesCount?: number };
}

async function ask<T>(url: string, init?: RequestInit): Promise<T> {
  let response: Response;
  try {
    response = await fetch(url, init);
  } catch (error) {
    throw new AifiError('PEER_REFUSED', 'the PACS does not answer', { cause: error });
  }
  if (response.ok) return (await response.json()) as T;
  await response.body?.cancel();
  throw new AifiError('PEER_REFUSED', `the PACS answered ${response.status}`);
}

/** One image to the gateway; PEER_REFUSED when the gateway did not take it. */
export async function sendInstance(pacs: OrthancClient, sopInstanceUid: string): Promise<void> {
  const id = await pacs.findOne('Instance', sopInstanceUid);
  if (!id) throw new AifiError('PEER_REFUSED', 'the PACS does not have the image yet');
  const started = await ask<{ ID: string }>(`${pacs.restUrl}/modalities/gateway/store`, {
    method: 'POST',
    body: JSON.stringify({ Resources: [id], Synchronous: false }),
  });
  const untilMs = systemClock.monotonicMs() + JOB_MS_MAX;
  while (systemClock.monotonicMs() < untilMs) {
    await systemClock.sleep(LOOK_MS);
    const { State, Content } = await ask<Job>(`${pacs.restUrl}/jobs/${started.ID}`);
    if (State === 'Success' && (Content?.FailedInstancesCount ?? 0) === 0) return;
    if (State === 'Success' || State === 'Failure') {
      throw new AifiError('PEER_REFUSED', 'the gateway did not take the image');
    }
  }
  await fetch(`${pacs.restUrl}/jobs/${started.ID}/cancel`, { method: 'POST', body: '{}' });
  throw new AifiError('PEER_REFUSED', 'the transfer did not end');
}

export interface HeldInstance {
  /** Orthanc's own identifier. */
  readonly id: string;
  /** Rises with each object that is stored. */
  readonly order: number;
}

/** Everything in the PACS, whatever study it is of. */
export async function everything({ restUrl }: OrthancClient): Promise<HeldInstance[]> {
  interface Changes {
    readonly Changes: readonly { ChangeType: string; ID: string; Seq: number }[];
    readonly Done: boolean;
    readonly Last: number;
  }
  const orders = new Map<string, number>();
  for (let since = 0, isDone = false; !isDone;) {
    const page = await ask<Changes>(`${restUrl}/changes?since=${since}&limit=${PAGE}`);
    for (const { ChangeType, ID, Seq } of page.Changes) {
      if (ChangeType === 'NewInstance') orders.set(ID, Seq);
    }
    [since, isDone] = [page.Last, page.Done];
  }
  const ids: string[] = [];
  for (let since = 0; ; since += PAGE) {
    const page = await ask<string[]>(`${restUrl}/instances?since=${since}&limit=${PAGE}`);
    ids.push(...page);
    if (page.length < PAGE) break;
  }
  return ids.map((id) => ({ id, order: orders.get(id) ?? 0 }));
}
