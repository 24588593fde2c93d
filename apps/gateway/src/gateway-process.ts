/**
 * GatewayProcess: the gateway of this process, started again when people change its settings.
 * Decides that all parts end and start anew, in the same process: no part has to know that a
 * setting of it can change. Settings with which the gateway does not come up are put aside before
 * the process ends, so that its next start is with the last that worked.
 * Invariant: one gateway at a time. Source: docs/runbooks/set-up.md.
 */
import { SettingsOverlay } from '@aifi/gateway-setup';
import { systemClock } from '@aifi/shared-kernel';
import type { Logger } from '@aifi/shared-observability';
import type { GatewayConfig } from './gateway-config.js';
import { startGateway, type RunningGateway } from './gateway.js';
import { configOf, layered, type SettingsControl } from './settings-in-force.js';

/** The answer to who ordered it has left by then. @unit ms */
const RESTART_AFTER_MS = 500;

export class GatewayProcess {
  /** Rejects when a stage ends by a fault or a restart fails: the process must not go on. */
  readonly ended: Promise<never>;
  readonly #overlay: SettingsOverlay;
  #gateway!: RunningGateway;
  #fail!: (error: unknown) => void;
  #restarting: Promise<void> | undefined;
  #isStopped = false;

  private constructor(
    private base: GatewayConfig,
    private readonly logger: Logger,
  ) {
    this.#overlay = SettingsOverlay.open(base.dataFolder, systemClock);
    this.ended = new Promise((_, reject) => (this.#fail = reject));
    this.ended.catch(() => undefined);
  }

  static async start(base: GatewayConfig, logger: Logger): Promise<GatewayProcess> {
    const process = new GatewayProcess(base, logger);
    await process.#start();
    // A page keeps its address also where the system chose the port.
    process.base = { ...base, http: { ...base.http, port: process.httpPort } };
    return process;
  }

  get httpPort(): number {
    return this.#gateway.httpPort;
  }
  get dicomPort(): number {
    return this.#gateway.dicomPort;
  }
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#restarting?.catch(() => undefined);
    await this.#gateway.stop();
  }

  async #start(): Promise<void> {
    const { base, logger } = this;
    const settings = await this.#overlay.begin((one) => layered(base, one).success);
    try {
      this.#gateway = await startGateway(configOf(base, settings), logger, this.#control());
    } catch (error) {
      await this.#overlay.putAside();
      throw error;
    }
    const gateway = this.#gateway;
    gateway.ended.catch((error: unknown) => this.#fail(error));
    await this.#overlay.started();
  }

  #control(): SettingsControl {
    return {
      base: this.base,
      overlay: this.#overlay,
      isRestarting: () => this.#restarting !== undefined,
      restart: () => {
        if (this.#restarting || this.#isStopped) return false;
        this.#restarting = this.#restart()
          .catch((error: unknown) => this.#fail(error))
          .finally(() => (this.#restarting = undefined));
        return true;
      },
    };
  }
  async #restart(): Promise<void> {
    await systemClock.sleep(RESTART_AFTER_MS);
    if (this.#isStopped) return;
    this.logger.info('starting again with other settings');
    await this.#gateway.stop();
    await this.#start();
  }
}
