/**
 * Supervisor: keeps the processes of a run alive, and knows why each one ended.
 * Decides what follows a death: the process starts again, made to die at the crash point that was
 * hit least. A death by SIGKILL of an armed process that nobody here killed is a hit.
 * Invariants: every death is in the history with its cause; a process is started by its supervisor
 * only, so never twice. Source: reliability specification 3 (kill -9 at named crash points).
 */
import { childrenNamed, sendSignal } from '@aifi/fault-injection';
import type { ManagedProcess } from '@aifi/demo';
import { systemClock } from '@aifi/shared-kernel';
import type { Coverage } from './coverage.js';
import type { App } from './crash-points.js';
import type { History } from './history.js';

/** What cannot start (its disk is full, its database recovers) is started again. @unit ms */
const RESTART_MS = 500;
/** A listener that died at its point is seen within this time. @unit ms */
const LOOK_MS = 100;
/** Points that kill the gateway's DICOM listener, which is a process of its own. */
const OF_LISTENER = 'gateway.receive.';
const LISTENER_ENTRY = 'listener-main';

export interface SupervisorOptions {
  readonly process: ManagedProcess;
  /** Undefined: it has no crash points. */
  readonly app: App | undefined;
  readonly coverage: Coverage;
  readonly history: History;
  /** Told of the point before the process starts with it, and while it does not run. */
  readonly beforeArmed?: ((point: string) => void) | undefined;
}

export class Supervisor {
  readonly #stopping = new AbortController();
  #armed: { readonly point: string; readonly atMs: number } | undefined;
  #isDisarming = false;
  #isReady = true;
  #upAtMs = systemClock.monotonicMs();
  #isKilled = false;
  #running: Promise<void> | undefined;
  /** Times that it was started again. */
  restarts = 0;

  constructor(private readonly options: SupervisorOptions) {}

  get process(): ManagedProcess {
    return this.options.process;
  }
  get name(): string {
    return this.process.name;
  }
  /** The point at which it dies when it passes. */
  get armedAt(): string | undefined {
    return this.#armed?.point;
  }
  /** How long it has waited at that point. @unit ms */
  get armedMs(): number {
    return this.#armed ? systemClock.monotonicMs() - this.#armed.atMs : 0;
  }
  /** @unit ms */
  get upMs(): number {
    return this.isUp ? systemClock.monotonicMs() - this.#upAtMs : 0;
  }
  get isUp(): boolean {
    return this.process.isRunning && this.#isReady;
  }

  /** From now on the process is started again whenever it ends. */
  supervise(): void {
    this.#running ??= Promise.all([this.#restart(), this.#watchListener()]).then(() => undefined);
  }
  /** kill -9; says whether there was something to kill. */
  async kill9(target: string): Promise<boolean> {
    if (!this.process.isRunning) return false;
    this.#isKilled = true;
    const { name, armedAt } = this;
    this.options.history.add({ kind: 'kill', target, process: name, armedAt });
    await this.process.kill9();
    return true;
  }
  /** Kills a child of the process, found by its program; says whether there was one. */
  killChild(target: string, entry: string): boolean {
    const [child] = childrenNamed(this.process.pid ?? 0, entry);
    if (child === undefined) return false;
    // A dead listener is what an armed point of its would look like: that arming is over.
    if (entry === LISTENER_ENTRY) this.#disarm(false);
    this.options.history.add({ kind: 'kill', target, process: this.name });
    return sendSignal(child, 'SIGKILL');
  }
  /** No more crash points; an armed process is started anew without one. */
  async disarm(): Promise<void> {
    this.#isDisarming = true;
    if (!this.#armed) return;
    this.#isKilled = true;
    await this.process.kill9();
  }
  /** The process is left as it is. */
  async release(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #restart(): Promise<void> {
    const { signal } = this.#stopping;
    const { process } = this;
    for (;;) {
      const stopped = new Promise<void>((resolve) =>
        signal.aborted ? resolve() : signal.addEventListener('abort', () => resolve()),
      );
      await Promise.race([process.exited, stopped]);
      if (signal.aborted) return;
      this.#isReady = false;
      this.#noteDeath();
      const armed = this.#arm();
      try {
        await process.start(armed);
      } catch {
        // It died while it started; the next round says of what.
        await systemClock.sleep(RESTART_MS, signal);
      }
      this.restarts += 1;
      this.#isReady = true;
      this.#upAtMs = systemClock.monotonicMs();
    }
  }

  #noteDeath(): void {
    const { history } = this.options;
    const { code = null, signal = null } = this.process.end ?? {};
    const isHit = this.#armed !== undefined && signal === 'SIGKILL' && !this.#isKilled;
    if (!isHit && !this.#isKilled) {
      history.add({ kind: 'death', process: this.name, how: signal ?? `exit ${code}` });
    }
    this.#isKilled = false;
    this.#disarm(isHit);
  }

  #arm(): Record<string, string> {
    const { app, coverage } = this.options;
    const next = app && !this.#isDisarming ? coverage.arm(app, this.name) : undefined;
    if (!next) return {};
    this.#armed = { point: next.point, atMs: systemClock.monotonicMs() };
    this.options.beforeArmed?.(next.point);
    return { AIFI_CRASH_AT: `${next.point}#${next.passage}` };
  }

  #disarm(isHit: boolean): void {
    const { coverage, history } = this.options;
    if (!this.#armed) return;
    const { point } = this.#armed;
    this.#armed = undefined;
    coverage.ended(point, isHit);
    if (isHit) history.add({ kind: 'hit', point, process: this.name });
  }

  /** The gateway outlives its listener: that one's death is seen by its id. */
  async #watchListener(): Promise<void> {
    const { signal } = this.#stopping;
    let seen: { readonly parent: number; readonly listener: number } | undefined;
    while (!signal.aborted && this.options.app === 'gateway') {
      await systemClock.sleep(LOOK_MS, signal);
      const parent = this.process.pid ?? 0;
      const [listener] = childrenNamed(parent, LISTENER_ENTRY);
      const isArmed = this.#armed?.point.startsWith(OF_LISTENER) === true;
      const isSame = seen?.parent === parent && this.process.isRunning;
      if (isArmed && isSame && listener !== seen?.listener) await this.#noteListenerDeath(parent);
      if (listener !== undefined) seen = { parent, listener };
      else if (!isSame) seen = undefined;
    }
  }

  /** Unless it went with its gateway, whose end is then about to be told. */
  async #noteListenerDeath(parent: number): Promise<void> {
    await systemClock.sleep(LOOK_MS);
    if (this.process.pid !== parent || !this.process.isRunning || this.#isKilled) return;
    this.#disarm(true);
  }
}
