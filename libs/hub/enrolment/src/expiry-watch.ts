/**
 * Expiry watch: says in time that a gateway's certificate ends, and retires authorities.
 * Decides when people are told: 30, 14 and 3 days before, once each, and when it has ended.
 * Invariant: what a gateway renewed is not alarmed about; a site that is gone is nobody's alarm.
 * Source: reliability specification 7 (alarms 30/14/3 d).
 */
import type { HubDatabase } from '@aifi/hub-database';
import { pollingStage, Wake, type Clock, type Stage } from '@aifi/shared-kernel';
import { Gauge, type Logger, type Registry } from '@aifi/shared-observability';
import { newestCertificates, type CertificateRecord } from './certificates.js';
import type { HubAuthority } from './hub-authority.js';

/** @unit days */
export const ALARM_DAYS = [30, 14, 3, 0] as const;
const DAY_MS = 24 * 3_600_000;
/** @unit ms */
const LOOK_MS = 3_600_000;

export interface ExpiryWatchOptions {
  readonly database: HubDatabase;
  readonly authority: HubAuthority;
  readonly clock: Clock;
  readonly logger: Logger;
}

export class ExpiryWatch {
  /** Smallest alarm that was given, by certificate. */
  #told = new Map<string, number>();

  constructor(private readonly options: ExpiryWatchOptions) {}

  /** One look; how many alarms it gave. */
  async look(): Promise<number> {
    const { database, authority } = this.options;
    await authority.retireUnused();
    const newest = await database.withAccess(newestCertificates);
    const told = new Map<string, number>();
    let alarms = 0;
    for (const record of newest) {
      const before = this.#told.get(record.serial) ?? Infinity;
      const due = this.#dueOf(record);
      if (due !== undefined && due < before) {
        this.#alarm(record, due);
        alarms += 1;
      }
      told.set(record.serial, Math.min(before, due ?? Infinity));
    }
    this.#told = told;
    return alarms;
  }

  stage(): Stage {
    const { clock, logger } = this.options;
    const onFault = (error: unknown): void =>
      logger.fault('certificates of gateways were not looked at', error);
    // Nothing is ever left over for a second look.
    const runOnce = async (): Promise<number> => {
      await this.look();
      return 0;
    };
    const name = 'enrolment';
    return pollingStage({
      ...{ name, clock, wake: new Wake(), intervalMs: LOOK_MS, runOnce, onFault },
    });
  }

  /** Days left of each gateway's certificate; below zero once it has ended. */
  register(registry: Registry): void {
    const { database } = this.options;
    const gauge: Gauge<'site' | 'gateway'> = new Gauge({
      name: 'aifi_hub_certificate_days_left',
      help: 'Days until the certificate of a gateway ends',
      labelNames: ['site', 'gateway'],
      registers: [registry],
      collect: async () => {
        const newest = await database.withAccess(newestCertificates);
        gauge.reset();
        for (const record of newest) {
          const { siteId: site, gateway } = record;
          gauge.set({ site, gateway: String(gateway) }, this.#daysLeft(record));
        }
      },
    });
  }

  /** The smallest alarm that is due. */
  #dueOf(record: CertificateRecord): number | undefined {
    const left = this.#daysLeft(record);
    return ALARM_DAYS.filter((days) => left <= days).at(-1);
  }
  #daysLeft({ validUntilMs }: CertificateRecord): number {
    return (validUntilMs - this.options.clock.nowMs()) / DAY_MS;
  }
  #alarm({ siteId, gateway }: CertificateRecord, days: number): void {
    const { logger } = this.options;
    const fields = { siteId, count: days, state: `gateway ${gateway}` };
    if (days === 0) logger.error('the certificate of a gateway has ended', fields);
    else if (days <= 3) logger.error('the certificate of a gateway ends in days', fields);
    else logger.warn('the certificate of a gateway ends soon', fields);
  }
}
