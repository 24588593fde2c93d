/**
 * Entry of the DIMSE listener child: parses foreign bytes, writes files, knows no database.
 * Decides that the child lives exactly as long as its parent. Invariant: it answers a C-STORE only
 * with the verdict that the parent gave after its commit.
 * Source: reliability specification F3, H13, P0; architecture 3.
 */
import { startStoreScp, type RunningScp } from '@aifi/dicom-dimse';
import { armCrashPoint, assertNodeVersion } from '@aifi/shared-kernel';
import type { ChildMessage, ParentMessage } from './listener-messages.js';
import { SpoolStoreHandler } from './spool-store-handler.js';

assertNodeVersion();
// The parent is gone, whatever the reason: nobody can make rows any more.
process.on('disconnect', () => process.exit(0));

const waiting = new Map<number, (status: number) => void>();
let lastId = 0;
let running: RunningScp | undefined;

function tell(message: ChildMessage): void {
  process.send?.(message);
}

async function start(message: Extract<ParentMessage, { kind: 'start' }>): Promise<void> {
  const { config, incomingFolder, restarts } = message;
  // A crash point kills once; the child that takes over must live.
  if (restarts === 0) armCrashPoint(process.env['AIFI_CRASH_AT']);
  const handler = new SpoolStoreHandler(
    incomingFolder,
    (instance) =>
      new Promise((resolve) => {
        const id = (lastId += 1);
        waiting.set(id, resolve);
        tell({ kind: 'received', id, instance });
      }),
  );
  running = await startStoreScp({
    ...config,
    handler,
    onRefusal: (refusal) => tell({ kind: 'refused', refusal }),
  });
  tell({ kind: 'listening', port: running.port });
}

async function stop(): Promise<void> {
  await running?.close();
  process.exit(0);
}

process.on('message', (message: ParentMessage) => {
  if (message.kind === 'start') {
    // The parent sees the exit and tries again; it also has the only log.
    start(message).catch(() => process.exit(1));
  } else if (message.kind === 'verdict') {
    waiting.get(message.id)?.(message.status);
    waiting.delete(message.id);
  } else {
    void stop();
  }
});
