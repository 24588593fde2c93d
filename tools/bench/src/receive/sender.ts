/**
 * The sender: DCMTK's storescu, the same for every receiver.
 * Decides what is timed: from the first association that is asked for to the last one that is
 * released, so that the sender's own look at its files does not count. Invariant: whatever was not
 * answered with Success is counted as not accepted. Source: DCMTK storescu (--verbose).
 */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { AifiError } from '@aifi/shared-kernel';

export const PDU_BYTES = 131_072;
export interface Destination {
  readonly aeTitle: string;
  readonly port: number;
}
export interface Sending {
  readonly accepted: number;
  /** When the first association was asked for, on the clock of `performance.now()`. @unit ms */
  readonly startMs: number;
  /** @unit s */
  readonly seconds: number;
}
interface Association {
  readonly accepted: number;
  readonly startMs: number;
  readonly endMs: number;
}

export const CALLING_AE_TITLE = 'BENCH';

async function sendFolders(
  folders: readonly string[],
  { aeTitle, port }: Destination,
): Promise<Association> {
  const titles = ['-aet', CALLING_AE_TITLE, '-aec', aeTitle];
  const options = ['-v', '-pdu', String(PDU_BYTES), '-R', '+sd'];
  const sender = spawn('storescu', [...titles, ...options, '127.0.0.1', String(port), ...folders], {
    env: { ...process.env, TCP_NODELAY: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [accepted, startMs, endMs] = [0, 0, 0];
  const read = async (stream: NodeJS.ReadableStream): Promise<void> => {
    for await (const line of createInterface({ input: stream })) {
      if (line.includes('Requesting Association')) startMs = performance.now();
      else if (line.includes('Releasing Association')) endMs = performance.now();
      else if (line.includes('Received Store Response (Success)')) accepted += 1;
    }
  };
  const failed = new Promise<never>((_, reject) => {
    sender.on('error', (cause) => {
      reject(new AifiError('PEER_UNAVAILABLE', 'storescu does not start', { cause }));
    });
  });
  await Promise.race([Promise.all([read(sender.stdout), read(sender.stderr)]), failed]);
  if (endMs === 0) throw new AifiError('PEER_REFUSED', 'an association was not carried through');
  return { accepted, startMs, endMs };
}

/** Sends each group of folders on an association of its own, all at the same time. */
export async function send(
  groups: readonly (readonly string[])[],
  to: Destination,
): Promise<Sending> {
  const all = await Promise.all(groups.map((folders) => sendFolders(folders, to)));
  const start = Math.min(...all.map(({ startMs }) => startMs));
  const end = Math.max(...all.map(({ endMs }) => endMs));
  const accepted = all.reduce((sum, one) => sum + one.accepted, 0);
  return { accepted, startMs: start, seconds: (end - start) / 1_000 };
}
