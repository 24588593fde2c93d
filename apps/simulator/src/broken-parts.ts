/**
 * Broken parts: where planted bugs stand in a gateway.
 * Decides nothing when no bug is named: the part itself is given back. Each bug is a port that lies
 * in the way in which code without the guard or the rule would behave.
 * Source: reliability specification T-MIS-5.
 */
import type { GatewayDatabase, Sql } from '@aifi/gateway-database';
import type { PacsPeer } from '@aifi/gateway-deliver';
import type { Linkage, Vault } from '@aifi/gateway-vault';
import type { JobId, SiteId } from '@aifi/shared-kernel';
import type { Bug } from './bugs.js';
import type { Random } from './random.js';
import type { ReferenceModel } from './reference-model.js';
import type { SimPacs } from './sim-pacs.js';
import type { Life } from './world.js';

/** `again`: a process of this gateway has run before. */
export function brokenDatabase(
  bug: Bug | undefined,
  database: GatewayDatabase,
  again: boolean,
): GatewayDatabase {
  if (bug === 'p5-revision-order-ignored')
    return rewriting(database, /AND NOT \(row\.state = 'QUEUED' AND EXISTS \([\s\S]*?END\)\)/, '');
  if (bug === 'p2-spool-not-resumed' && again) {
    return rewriting(
      database,
      "WHERE s.state = 'QUEUED' AND j.terminal_ms IS NULL\n         AND",
      `WHERE s.state = 'QUEUED' AND j.terminal_ms IS NULL AND s.rowid > ${newest(database)} AND`,
    );
  }
  if (bug === 'p2-deleted-before-study-ack') {
    return rewriting(
      database,
      /job\.state = 'SELECTED'\s+OR \(spool_job\.state = 'QUEUED' AND job\.terminal_ms IS NULL\)/,
      "job.state = 'SELECTED'",
    );
  }
  return database;
}

const newest = (database: GatewayDatabase): number =>
  database.read((sql) =>
    sql.get<{ last: number | null }>('SELECT MAX(rowid) AS last FROM spool_job'),
  )?.last ?? 0;

/** A database that reads another statement than it is told. */
function rewriting(database: GatewayDatabase, from: string | RegExp, to: string): GatewayDatabase {
  const wrong = (sql: Sql): Sql =>
    new Proxy(sql, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== 'function') return value;
        return (statement: string, ...values: unknown[]) =>
          (value as (...all: unknown[]) => unknown).call(
            target,
            statement.replace(from, to),
            ...values,
          );
      },
    });
  return new Proxy(database, {
    get: (target, name) => {
      if (name === 'read')
        return <T>(work: (sql: Sql) => T): T => target.read((sql) => work(wrong(sql)));
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? (value as () => unknown).bind(target) : value;
    },
  });
}

interface VaultParts {
  readonly bug: Bug | undefined;
  readonly vault: Vault;
  readonly model: ReferenceModel;
  readonly siteId: SiteId;
  readonly random: Random;
  readonly linkageSwaps: () => number;
  readonly misread: Misread;
}
/** Linkage rows that are read as another patient's: as long as the rows live, not the process. */
export class Misread {
  readonly swapped = new Map<JobId, Linkage>();
  readonly sent = new Map<JobId, Linkage>();
}

/** The vault as the stages see it: in times of trouble a row may be read as another patient's. */
export function brokenVault(parts: VaultParts): Vault {
  const { bug, vault } = parts;
  const { swapped, sent } = parts.misread;
  const linkage = (jobId: JobId): Linkage | undefined => swapped.get(jobId) ?? vault.linkage(jobId);
  const recordLinkage: Vault['recordLinkage'] = async (own, ...rest) => {
    const recorded = vault.recordLinkage(own, ...rest);
    if (bug === 'p1-bytes-before-linkage') recorded.catch(() => undefined);
    else await recorded;
    const other = [...sent.values()].find(
      ({ asSent }) => asSent.fields.PatientID !== own.asSent.fields.PatientID,
    );
    sent.set(own.jobId, own);
    if (other && parts.random.chance(parts.linkageSwaps())) {
      swapped.set(own.jobId, { ...own, asSent: other.asSent });
      parts.model.mustBeStopped(parts.siteId, own.jobId, 'C5');
    }
  };
  return new Proxy(vault, {
    get: (target, name) => {
      if (name === 'recordLinkage') return recordLinkage;
      if (name === 'linkage') return linkage;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? (value as () => unknown).bind(target) : value;
    },
  });
}

const DUPLICATE = 0x0111;

export function brokenPacs(bug: Bug | undefined, pacs: SimPacs, life: Life): PacsPeer {
  const peer = pacs.peer(life);
  if (bug === 'c7-no-last-look') {
    const findStudy: PacsPeer['findStudy'] = async (studyUid) => {
      const matches = await peer.findStudy(studyUid);
      return matches.length > 0 ? pacs.originalMatches(studyUid) : [];
    };
    return { ...peer, findStudy };
  }
  if (bug === 'p6-duplicate-on-0111') {
    const store: PacsPeer['store'] = async (object) => {
      const status = await peer.store(object);
      return status === DUPLICATE ? pacs.storeUnderNewUid(life, object) : status;
    };
    return { ...peer, store };
  }
  return peer;
}
