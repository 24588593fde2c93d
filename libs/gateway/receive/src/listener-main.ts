/**
 * Entry of the DIMSE listener child: parses foreign bytes, writes files, knows no database.
 * Decides that the child lives exactly as long as its parent. Invariants: it answers a C-STORE only
 * with the verdict that the parent gave after its commit; it does not outlive a failed sync.
 * Source: reliability specification F3, H13, P0; architecture 3.
 */
import { rmSync } from 'node:fs';
import {
  startStoreScp,
  type CommitmentReception,
  type RefusalListener,
  type RunningScp,
  type ScpTls,
} from '@aifi/dicom-dimse';
import { AifiError, armCrashPoint, assertNodeVersion, systemClock } from '@aifi/shared-kernel';
import {
  commitmentReportSchema,
  EXIT_DISK_FAULT,
  type ChildMessage,
  type DiskLevel,
  type ListenerTls,
  type ParentMessage,
  type ReceivedInstance,
  type StartMessage,
} from './listener-messages.js';
import { SpoolFilePool } from './spool-file-pool.js';
import { SpoolStoreHandler } from './spool-store-handler.js';
import { WebListener } from './web-listener.js';

assertNodeVersion();
// The parent is gone, whatever the reason: nobody can make rows any more.
process.on('disconnect', () => process.exit(0));

/** A crash point of this form kills in every life of the child, at every passage. */
const EVERY_LIFE = '#*';
const waiting = new Map<number, (status: number) => void>();
let outbox: { readonly id: number; readonly instance: ReceivedInstance }[] = [];
let lastId = 0;
let diskLevel: DiskLevel = 'normal';
let pool: SpoolFilePool | undefined;
let running: RunningScp | undefined;
let web: WebListener | undefined;

function tell(message: ChildMessage): void {
  process.send?.(message);
}
function verdictOn(ask: (id: number) => void): Promise<number> {
  return new Promise((resolve) => {
    const id = (lastId += 1);
    waiting.set(id, resolve);
    ask(id);
  });
}

/** What became durable in one turn of the event loop goes to the parent as one group. */
function record(instance: ReceivedInstance): Promise<number> {
  return verdictOn((id) => {
    if (outbox.length === 0) setImmediate(sendReceived);
    outbox.push({ id, instance });
  });
}
function sendReceived(): void {
  const instances = outbox;
  outbox = [];
  tell({ kind: 'received', instances });
}

function commitmentOf(from: readonly string[] | undefined): CommitmentReception | undefined {
  if (!from) return undefined;
  return {
    from,
    onReport: async ({ transactionUid, committed, failed }, callingAeTitle) => {
      const report = { transactionUid, committed: [...committed], failed: [...failed] };
      // What the parent would end this process for is the fault of who sent it.
      if (!commitmentReportSchema.safeParse(report).success) {
        throw new AifiError('INVALID_ARGUMENT', 'the report has no valid UIDs, or too many');
      }
      const status = await verdictOn((id) =>
        tell({ kind: 'commitment', id, report, callingAeTitle }),
      );
      if (status !== 0) throw new AifiError('INTERNAL', 'the report was not recorded');
    },
  };
}

function armAt(spec: string | undefined, restarts: number): void {
  if (spec?.endsWith(EVERY_LIFE)) armCrashPoint(spec.slice(0, -EVERY_LIFE.length));
  // Any other kills once; the child that takes over must live.
  else if (restarts === 0) armCrashPoint(spec);
}

async function start(message: StartMessage): Promise<void> {
  const { config, tls, incomingFolder, restarts, poison, commitmentFrom } = message;
  armAt(message.crashAt ?? process.env['AIFI_CRASH_AT'], restarts);
  diskLevel = message.diskLevel;
  const { host, port, aeTitle, aeTitles, callers } = config;
  const lanes = new Map(callers.map((caller) => [caller.aeTitle, caller.lane]));
  pool = await SpoolFilePool.open({
    folder: incomingFolder,
    onFatal: () => process.exit(EXIT_DISK_FAULT),
  });
  const handler = new SpoolStoreHandler({
    pool,
    record,
    laneOf: (callingAeTitle) => lanes.get(callingAeTitle) ?? 'routine',
    diskLevel: () => diskLevel,
    poison: new Set(poison),
  });
  running = await startStoreScp({
    ...{ host, port, aeTitle, callers, handler },
    furtherAeTitles: aeTitles?.map((further) => further.aeTitle),
    tls: tls && pemOf(tls),
    commitment: commitmentOf(commitmentFrom),
    ...{ onRefusal, onAdmitted },
  });
  const webPorts = await startWeb(message, handler);
  tell({ kind: 'listening', port: running.port, tlsPort: running.tlsPort, ...webPorts });
}

/** A sender with an association for each object is told of this often. @unit ms */
const ADMITTED_EVERY_MS = 10_000;
/** By AE title; only titles of the configuration are let in. */
const admittedMs = new Map<string, number>();
function onAdmitted(callingAeTitle: string): void {
  const nowMs = systemClock.monotonicMs();
  if (nowMs - (admittedMs.get(callingAeTitle) ?? -Infinity) < ADMITTED_EVERY_MS) return;
  admittedMs.set(callingAeTitle, nowMs);
  tell({ kind: 'admitted', callingAeTitle });
}
const onRefusal: RefusalListener = (refusal) => tell({ kind: 'refused', refusal });
const pemOf = ({ port, certificate, key, ca }: ListenerTls): ScpTls => ({
  port,
  certificate: Buffer.from(certificate),
  key: Buffer.from(key),
  ca: Buffer.from(ca),
});

/** Objects that come by HTTP: from peers of the hospital, and from our own parts. */
async function startWeb(
  { web: peers, intakeSocket, config: { host } }: StartMessage,
  handler: SpoolStoreHandler,
): Promise<{ readonly webPort: number; readonly webTlsPort: number }> {
  const callers = peers?.callers ?? [];
  web = new WebListener({ handler, callers, onRefusal, clock: systemClock });
  if (intakeSocket !== undefined) {
    // That of a listener which was killed.
    rmSync(intakeSocket, { force: true });
    await web.listenPrivate(intakeSocket);
  }
  return {
    webPort: peers?.port === undefined ? 0 : await web.listenPlain(host, peers.port),
    webTlsPort: peers?.tls ? await web.listenTls(host, pemOf(peers.tls)) : 0,
  };
}

async function stop(): Promise<void> {
  await Promise.all([running?.close(), web?.close()]);
  await pool?.close();
  process.exit(0);
}

process.on('message', (message: ParentMessage) => {
  switch (message.kind) {
    case 'start':
      // The parent sees the exit and tries again; it also has the only log.
      start(message).catch(() => process.exit(1));
      return;
    case 'verdicts':
      for (const { id, status } of message.verdicts) {
        waiting.get(id)?.(status);
        waiting.delete(id);
      }
      return;
    case 'disk':
      diskLevel = message.level;
      return;
    case 'stop':
      void stop();
  }
});
