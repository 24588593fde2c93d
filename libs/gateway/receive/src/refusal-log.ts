/**
 * RefusalLog: what was not taken at the door, counted per minute.
 * Decides what hospital IT can see of studies that have no row: when, from whom, why, how often.
 * Invariants: bounded in memory and on disk, whatever a peer sends; no UID and no patient
 * attribute; a full disk delays a count and never stops the listener.
 * Source: architecture 2 ("Silence is a defect"); reliability specification F9, H13.
 */
import { aeTitleSchema } from '@aifi/dicom-dimse';
import type { GatewayDatabase } from '@aifi/gateway-database';
import { pollingStage, Wake, type Clock, type Stage } from '@aifi/shared-kernel';
import type { Logger } from '@aifi/shared-observability';
import type { ReceiveRefusal } from './listener-messages.js';

/** @unit ms */
const MINUTE_MS = 60_000;
/** Time until counts that did not fit the disk are tried again. @unit ms */
const RETRY_MS = 10_000;
/** Rows kept: a month of a modality that is refused every hour. */
const ROWS_MAX = 1_000;
/** Different refusals waiting for the disk; more are counted without name and minute. */
const PENDING_MAX = 100;
/** SQL keeps NULLs apart in a unique key, so "no answer" is a number. */
const NO_STATUS = -1;

interface Count extends ReceiveRefusal {
  readonly minuteMs: number;
  count: number;
}
export interface RefusalLogDependencies {
  readonly database: GatewayDatabase;
  readonly clock: Clock;
  readonly logger: Logger;
}

export class RefusalLog {
  #pending = new Map<string, Count>();
  readonly #wake = new Wake();
  /** Writes what was counted, also once more when it is stopped. */
  readonly stage: Stage;

  constructor(private readonly dependencies: RefusalLogDependencies) {
    const { clock, logger } = dependencies;
    const polling = pollingStage({
      name: 'receive-refusals',
      clock,
      wake: this.#wake,
      intervalMs: RETRY_MS,
      onFault: (error) => logger.fault('refusals not recorded yet', error),
      runOnce: () => this.#flush(),
    });
    this.stage = {
      name: polling.name,
      run: async (signal) => {
        await polling.run(signal);
        await this.#flush().catch(() => 0);
      },
    };
  }

  add(refusal: ReceiveRefusal): void {
    const nowMs = this.dependencies.clock.nowMs();
    const isTitle = aeTitleSchema.safeParse(refusal.callingAeTitle).success;
    // While the disk is full for long, refusals go on to be counted but no longer told apart.
    const [first] = this.#pending.size < PENDING_MAX ? [] : this.#pending.values();
    const callingAeTitle = isTitle && !first ? refusal.callingAeTitle : '';
    const minuteMs = first?.minuteMs ?? Math.floor(nowMs / MINUTE_MS) * MINUTE_MS;
    this.#count({ ...refusal, callingAeTitle, minuteMs, count: 1 });
    this.#wake.notify();
  }

  #count(added: Count): void {
    const { minuteMs, callingAeTitle, what, code, dimseStatus = NO_STATUS, reason = '' } = added;
    const key = JSON.stringify([minuteMs, callingAeTitle, what, code, dimseStatus, reason]);
    const present = this.#pending.get(key);
    if (present) present.count += added.count;
    else this.#pending.set(key, added);
  }

  async #flush(): Promise<number> {
    const { database, logger } = this.dependencies;
    const counts = [...this.#pending.values()];
    if (counts.length === 0) return 0;
    this.#pending = new Map();
    try {
      await database.write((sql) => {
        for (const counted of counts) {
          sql.run(
            `INSERT INTO receive_refusal
               (at_ms, calling_ae, what, code, dimse_status, reason, count)
             VALUES (?, ?, ?, ?, ?, ?, ?)
             ON CONFLICT (at_ms, calling_ae, what, code, dimse_status, reason)
             DO UPDATE SET count = count + excluded.count`,
            counted.minuteMs,
            counted.callingAeTitle,
            counted.what,
            counted.code,
            counted.dimseStatus ?? NO_STATUS,
            counted.reason ?? '',
            counted.count,
          );
        }
        sql.run(
          `DELETE FROM receive_refusal WHERE refusal_id <=
             (SELECT MAX(refusal_id) FROM receive_refusal) - ?`,
          ROWS_MAX,
        );
      });
    } catch (error) {
      for (const counted of counts) this.#count(counted);
      throw error;
    }
    for (const { what, code, count } of counts) {
      logger.warn('refused at the listener', { code, count, state: what });
    }
    return 0;
  }
}
