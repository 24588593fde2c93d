/**
 * SettingsOverlay: what the wizard lays over the configuration, in one file of the data folder.
 * Decides which settings a start uses: new ones are tried once; those with which the gateway did
 * not come up are put aside and the last that started are used again.
 * Invariants: the file of the configuration is never written; a try is on disk before it is made;
 * what cannot be read or does not fit the configuration any more counts as none.
 * Source: conventions "Remote settings: plan, validate, apply, roll back".
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { setupSettingsSchema, type SetupSettings } from '@aifi/contracts-rest';
import { crashPoint, writeDurableFile, type Clock } from '@aifi/shared-kernel';

const settingsSchema = z.strictObject({ settings: setupSettingsSchema, atMs: z.int() });
const stateSchema = z.strictObject({
  schema: z.literal('aifi.gateway-settings.v1'),
  /** The last with which the gateway started; null: the configuration file alone. */
  current: settingsSchema.nullable(),
  /** Those before, for undoing. */
  previous: settingsSchema.nullable(),
  /** Ordered and not started yet; `isTried`: a start with them was begun. */
  pending: settingsSchema.extend({ isTried: z.boolean() }).nullable(),
  rolledBackAtMs: z.int().nullable(),
});
type State = z.infer<typeof stateSchema>;
const EMPTY: State = {
  ...{ schema: 'aifi.gateway-settings.v1', current: null, previous: null, pending: null },
  rolledBackAtMs: null,
};
/** Nothing laid over: what undoing the first settings leads to. */
const NOTHING: SetupSettings = {};

export interface OverlayView {
  readonly current: SetupSettings | null;
  readonly appliedAtMs: number | null;
  readonly canUndo: boolean;
  readonly rolledBackAtMs: number | null;
}

export class SettingsOverlay {
  readonly #path: string;
  #state: State;

  private constructor(
    dataFolder: string,
    private readonly clock: Clock,
  ) {
    this.#path = join(dataFolder, 'settings.json');
    this.#state = this.#read();
  }
  static open(dataFolder: string, clock: Clock): SettingsOverlay {
    return new SettingsOverlay(dataFolder, clock);
  }

  /**
   * The settings that this start uses. `fits` says whether they make a configuration; what does not
   * is left out, and new ones that do not are put aside.
   */
  async begin(fits: (settings: SetupSettings) => boolean): Promise<SetupSettings> {
    const { pending, current } = this.#state;
    if (pending && !pending.isTried && fits(pending.settings)) {
      await this.#write({ ...this.#state, pending: { ...pending, isTried: true } });
      return pending.settings;
    }
    if (pending) await this.putAside();
    return current && fits(current.settings) ? current.settings : NOTHING;
  }
  /** The gateway is up with what `begin` said. */
  async started(): Promise<void> {
    const { pending, current } = this.#state;
    if (!pending?.isTried) return;
    const { settings, atMs } = pending;
    const previous = current ?? { settings: NOTHING, atMs: 0 };
    const next = { current: { settings, atMs }, previous, pending: null, rolledBackAtMs: null };
    await this.#write({ ...this.#state, ...next });
  }
  /** New settings did not start. */
  async putAside(): Promise<void> {
    if (!this.#state.pending) return;
    await this.#write({ ...this.#state, pending: null, rolledBackAtMs: this.clock.nowMs() });
  }

  /** For the next start. */
  async order(settings: SetupSettings): Promise<void> {
    const pending = { settings, atMs: this.clock.nowMs(), isTried: false };
    await this.#write({ ...this.#state, pending });
  }
  /** What undoing would bring; undefined: there is nothing to undo. */
  before(): SetupSettings | undefined {
    return this.#state.previous?.settings;
  }

  view(): OverlayView {
    const { current, previous, rolledBackAtMs } = this.#state;
    const isOn = current !== null && Object.keys(current.settings).length > 0;
    return {
      current: isOn ? current.settings : null,
      appliedAtMs: isOn ? current.atMs : null,
      canUndo: previous !== null,
      rolledBackAtMs,
    };
  }

  #read(): State {
    try {
      return stateSchema.parse(JSON.parse(readFileSync(this.#path, 'utf8')));
    } catch {
      return EMPTY;
    }
  }
  async #write(state: State): Promise<void> {
    crashPoint('gateway.setup.before-settings');
    await writeDurableFile(this.#path, Buffer.from(JSON.stringify(state)));
    this.#state = state;
    crashPoint('gateway.setup.after-settings');
  }
}
