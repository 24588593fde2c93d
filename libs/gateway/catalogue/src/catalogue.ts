/**
 * Catalogue: versions of the hospital's procedure codes.
 * Decides that an import is planned, checked and put in force whole as the next version, and that a
 * rollback is a next version too, with the codes of an earlier one.
 * Invariants: the newest version is in force; a file with an error changes nothing; an order that
 * is carried out twice makes one version; old codes are dropped, never those in force.
 * Source: governance specification 4.3; conventions 2 ("plan, validate, apply, roll back").
 */
import type {
  CatalogueFinding,
  CataloguePlanView,
  CatalogueVersionView,
} from '@aifi/contracts-rest';
import type { GatewayDatabase, Sql } from '@aifi/gateway-database';
import { AifiError, crashPoint } from '@aifi/shared-kernel';
import { digestOf, readCatalogue, writeCatalogue, type CatalogueCode } from './catalogue-file.js';

/** Findings that are told; their numbers are told whole. */
const FINDINGS_MAX = 100;
/** Versions that are listed, and whose codes are kept to go back to. */
const VERSIONS_KEPT = 20;

export interface CataloguePlan extends CataloguePlanView {
  /** What would be in force. */
  readonly next: readonly CatalogueCode[];
}
interface CodeRow extends Omit<CatalogueCode, 'products'> {
  readonly products: string;
}
type VersionRow = Omit<CatalogueVersionView, 'isKept'> & { readonly isKept: 0 | 1 };

const VERSIONS = `
  SELECT version, kind, of_version AS ofVersion, codes, sha256, created_ms AS createdAtMs,
    codes = 0 OR EXISTS (SELECT 1 FROM catalogue_code c WHERE c.version = v.of_version) AS isKept
  FROM catalogue_version v`;

export class Catalogue {
  constructor(private readonly database: GatewayDatabase) {}

  /** Newest first; the first is in force. */
  versions(): CatalogueVersionView[] {
    const rows = this.database.read((sql) =>
      sql.all<VersionRow>(`${VERSIONS} ORDER BY version DESC LIMIT ${VERSIONS_KEPT}`),
    );
    return rows.map(viewOf);
  }

  /** What the file says and would change. `products`: those that the rules know now. */
  plan(bytes: Uint8Array, products: ReadonlySet<string> | undefined): CataloguePlan {
    const { codes: next, findings } = readCatalogue(bytes, products);
    const current = new Map(this.#current().map((one) => [keyOf(one), one]));
    const added = next.filter((one) => !current.has(keyOf(one))).length;
    const same = next.filter((one) => {
      const before = current.get(keyOf(one));
      return before !== undefined && digestOf([before]) === digestOf([one]);
    }).length;
    const errors = findings.filter(({ isError }) => isError);
    return {
      ...{ next, codes: next.length, added, changed: next.length - added - same },
      removed: current.size - (next.length - added),
      ...{ errors: errors.length, warnings: findings.length - errors.length },
      findings: told(findings),
    };
  }

  /** Puts a plan in force; null when a line is wrong or nothing would change. */
  async apply(plan: CataloguePlan, atMs: number): Promise<CatalogueVersionView | null> {
    if (plan.errors > 0) return null;
    const sha256 = digestOf(plan.next);
    crashPoint('gateway.catalogue.before-version');
    const version = await this.database.write((sql) => {
      const last = lastOf(sql);
      if (last?.sha256 === sha256) return last.createdAtMs === atMs ? last.version : null;
      const number = (last?.version ?? 0) + 1;
      const { length } = plan.next;
      addVersion(sql, { number, kind: 'import', ofVersion: number, codes: length, sha256, atMs });
      for (const code of plan.next) addCode(sql, number, code);
      dropOld(sql, number);
      return number;
    });
    crashPoint('gateway.catalogue.after-version');
    return version === null ? null : this.#version(version);
  }

  /** NOT_FOUND without such a version, STATE_CONFLICT when its codes are gone or in force. */
  async rollBack(to: number, atMs: number): Promise<CatalogueVersionView> {
    crashPoint('gateway.catalogue.before-rollback');
    const version = await this.database.write((sql) => {
      const last = lastOf(sql);
      const target = sql.get<VersionRow>(`${VERSIONS} WHERE version = ?`, to);
      if (!target || !last) throw new AifiError('NOT_FOUND', 'no such version of the catalogue');
      const isRepeat = last.kind === 'rollback' && last.createdAtMs === atMs;
      if (isRepeat && last.ofVersion === target.ofVersion) return last.version;
      if (target.sha256 === last.sha256) {
        throw new AifiError('STATE_CONFLICT', 'these codes are in force already');
      }
      if (!target.isKept) throw new AifiError('STATE_CONFLICT', 'its codes are no longer kept');
      const { ofVersion, codes, sha256 } = target;
      const number = last.version + 1;
      addVersion(sql, { number, kind: 'rollback', ofVersion, codes, sha256, atMs });
      return number;
    });
    crashPoint('gateway.catalogue.after-rollback');
    return this.#version(version);
  }

  /** Lines of the file of a version; of the one in force unless named. NOT_FOUND without it. */
  export(version?: number): Iterable<string> {
    const row = this.database.read((sql) =>
      version === undefined
        ? lastOf(sql)
        : sql.get<VersionRow>(`${VERSIONS} WHERE version = ?`, version),
    );
    if (version !== undefined && !row?.isKept) {
      throw new AifiError('NOT_FOUND', 'no such version of the catalogue');
    }
    return writeCatalogue(row ? this.#codesOf(row.ofVersion) : []);
  }

  #current(): CatalogueCode[] {
    const last = this.database.read(lastOf);
    return last ? this.#codesOf(last.ofVersion) : [];
  }

  #codesOf(version: number): CatalogueCode[] {
    const rows = this.database.read((sql) =>
      sql.all<CodeRow>(
        `SELECT code, scheme, description, body_part AS bodyPart, side, phase, products
         FROM catalogue_code WHERE version = ? ORDER BY code, scheme`,
        version,
      ),
    );
    return rows.map((row) => ({ ...row, products: JSON.parse(row.products) as string[] }));
  }

  #version(version: number): CatalogueVersionView {
    return viewOf(
      this.database.read((sql) => sql.get<VersionRow>(`${VERSIONS} WHERE version = ?`, version)!),
    );
  }
}

const keyOf = ({ scheme, code }: CatalogueCode): string => `${scheme}\0${code}`;
const viewOf = (row: VersionRow): CatalogueVersionView => ({ ...row, isKept: row.isKept === 1 });
const lastOf = (sql: Sql): VersionRow | undefined =>
  sql.get<VersionRow>(`${VERSIONS} ORDER BY version DESC LIMIT 1`);
const told = (findings: readonly CatalogueFinding[]): CatalogueFinding[] =>
  [...findings].sort((a, b) => Number(b.isError) - Number(a.isError)).slice(0, FINDINGS_MAX);

interface NewVersion {
  readonly number: number;
  readonly kind: CatalogueVersionView['kind'];
  readonly ofVersion: number;
  readonly codes: number;
  readonly sha256: string;
  readonly atMs: number;
}
function addVersion(sql: Sql, one: NewVersion): void {
  sql.run(
    `INSERT INTO catalogue_version (version, kind, of_version, codes, sha256, created_ms)
     VALUES (?, ?, ?, ?, ?, ?)`,
    ...[one.number, one.kind, one.ofVersion, one.codes, one.sha256, one.atMs],
  );
}

function addCode(sql: Sql, version: number, code: CatalogueCode): void {
  sql.run(
    `INSERT INTO catalogue_code (version, code, scheme, description, body_part, side, phase,
       products) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    ...[version, code.code, code.scheme, code.description, code.bodyPart, code.side, code.phase],
    JSON.stringify(code.products),
  );
}

/** Versions stay on the list; codes that no listed version has go. */
function dropOld(sql: Sql, newest: number): void {
  sql.run(
    `DELETE FROM catalogue_code WHERE version NOT IN (
       SELECT of_version FROM catalogue_version WHERE version > ?)`,
    newest - VERSIONS_KEPT,
  );
}
