/**
 * Thread of the child that watches its parent.
 * Decides that an orphan dies: the parent's death does not reach a blocked event loop, and a model
 * that hangs would keep its memory for ever.
 */
import { workerData } from 'node:worker_threads';
import { systemClock } from '@aifi/shared-kernel';

/** How long an orphan may live on. @unit ms */
const WATCH_INTERVAL_MS = 500;

// process.ppid is asked of the system each time; an orphan gets another parent.
while (process.ppid === workerData) await systemClock.sleep(WATCH_INTERVAL_MS);
process.kill(process.pid, 'SIGKILL');
