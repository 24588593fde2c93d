/**
 * What a gateway says of itself: its status page, which hospital IT reads, and its rows of what it
 * took. Decides nothing; the shapes are those of the gateway's REST interface and database.
 */
import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import { gatewayRoutes, type GatewayStatus, type RefusalView } from '@aifi/contracts-rest';
import type { Hospital } from '@aifi/demo';

export function gatewayStatus({ gateway }: Hospital): Promise<GatewayStatus> {
  return gateway.server.read(gatewayRoutes.status.path, gatewayRoutes.status.response);
}

/** Polls until a refusal of this kind is on the page. */
export async function untilRefusal(
  hospital: Hospital,
  matches: (refusal: RefusalView) => boolean,
): Promise<RefusalView> {
  for (let look = 0; look < 100; look += 1) {
    const found = (await gatewayStatus(hospital)).refusals.find(matches);
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error('no such refusal on the status page of the gateway');
}

/** Polls until the disk is no reason to refuse anybody. */
export async function untilTaken(hospital: Hospital): Promise<void> {
  for (let look = 0; look < 600; look += 1) {
    const level = (await gatewayStatus(hospital)).disk?.level;
    if (level === 'normal' || level === 'warning') return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error('the gateway goes on refusing for want of space');
}

export interface ReceivedInstance {
  readonly sopInstanceUid: string;
  readonly transferSyntaxUid: string;
  readonly path: string;
}

/** Rows of everything that the gateway took, read from its own database. */
export function receivedInstances({ gatewayFolder }: Hospital): ReceivedInstance[] {
  const database = new DatabaseSync(join(gatewayFolder, 'gateway.db'), { readOnly: true });
  try {
    const rows = database
      .prepare('SELECT sop_instance_uid, transfer_syntax_uid, path FROM instance')
      .all() as Record<string, string>[];
    return rows.map((row) => ({
      sopInstanceUid: row['sop_instance_uid']!,
      transferSyntaxUid: row['transfer_syntax_uid']!,
      path: row['path']!,
    }));
  } finally {
    database.close();
  }
}
