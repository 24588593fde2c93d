/**
 * A hub's enrolment for kill drills: one real PostgreSQL, and for each drill a hub with one site
 * and a folder of its own, whose lives are processes of their own.
 * Decides what a life does, one piece of work after another, and the rules that hold after every
 * one. What a dead life signed and told nobody is signed again here, by the number that it drew
 * and the key that it left.
 */
import 'reflect-metadata';
import { createPrivateKey, webcrypto, X509Certificate } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import * as x509 from '@peculiar/x509';
import {
  enrolNamedSite,
  HubDatabase,
  migrationSource,
  removeServerFolder,
  startEmbeddedPostgres,
  type EmbeddedPostgres,
  type Sql,
} from '@aifi/hub-database';
import { peerFromAlternativeNames } from '@aifi/hub-identity';
import { AifiError, sha256Hex, systemClock } from '@aifi/shared-kernel';
import {
  FakeClock,
  killedAt,
  livedOn,
  temporaryFolder,
  type TemporaryFolder,
} from '@aifi/shared-testing';
import { readRequest, signGateway, systemRandomness } from '../src/certificate-profile.js';
import { listCertificates, type CertificateRecord } from '../src/certificates.js';
import { listAuthorities, type Authority } from '../src/hub-authority.js';
import { HubTrust } from '../src/hub-trust.js';
import { insertToken, newSecret } from '../src/join-token.js';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

// A rotation is ordered as the hub does it: its transaction, then the keys. What is drawn for a
// serial number is told before it is used, as the dead tell nothing. The clock stands still but for
// a rotation, which is later than what is before it.
const LIFE = `
const [{ appendFileSync }, { generateKeyPairSync, randomBytes, X509Certificate }, hub, identity,
  { HubDatabase }, { AifiError, systemClock }, { silentLogger }] = await Promise.all([
  import('node:fs'), import('node:crypto'), import('@aifi/hub-enrolment'),
  import('@aifi/hub-identity'), import('@aifi/hub-database'), import('@aifi/shared-kernel'),
  import('@aifi/shared-observability')]);
const { urls, dataFolder, files, uri, work, ...given } = JSON.parse(process.argv[1]);
let { nowMs } = given;
const database = await HubDatabase.open(urls);
const enrolment = await hub.HubEnrolment.open({
  database, dataFolder, files, logger: silentLogger, purpose: 'demonstration',
  clock: { ...systemClock, nowMs: () => nowMs },
  signingKey: generateKeyPairSync('ed25519').privateKey,
  randomness: (size) => {
    const drawn = randomBytes(size);
    if (size === 16) appendFileSync(dataFolder + '/drawn', drawn.toString('hex') + '\\n');
    return drawn;
  },
});
const pem = (der) => new X509Certificate(der).toString();
const WAYS = {
  join: async ({ secret, csr }) => {
    const request = { secret, csr, gatewayVersion: '0.1.0' };
    return pem((await enrolment.joining.join(request, '192.0.2.1')).certificate);
  },
  renew: async ({ csr, of }) => {
    const calling = new X509Certificate(of ?? said.at(-1)).raw;
    const peer = identity.peerFromAlternativeNames(uri);
    const der = Buffer.from(csr.replace(/-----[^-]+-----|\\s/g, ''), 'base64');
    return pem((await enrolment.renewal.renew(peer, der, calling)).certificate);
  },
  rotate: async () => {
    nowMs += 1;
    const { made } = await database.withAccess((sql) => enrolment.authority.rotate(sql));
    await enrolment.authority.forgetOldKeys();
    return made.id;
  },
};
const said = [];
for (const one of work) {
  said.push(await WAYS[one.act](one).catch((error) => AifiError.from(error).code));
}
await database.close();
process.stdout.write(JSON.stringify(said));`;

export interface Join {
  readonly act: 'join';
  readonly secret: string;
  readonly csr: string;
}
export interface Renewal {
  readonly act: 'renew';
  readonly csr: string;
  /** The calling certificate. @default what the life got just before */
  readonly of?: string;
}
export type Work = Join | Renewal | { readonly act: 'rotate' };

interface Records {
  readonly joins: number;
  readonly refused: number;
  readonly renewals: number;
}

interface Opened {
  readonly owner: ReturnType<typeof migrationSource>;
  readonly database: HubDatabase;
  /** Certificate files of the hub, as its configuration names them. */
  readonly files: object;
}
/** The database that the hubs of all drills use, one after another. */
export class DrillDatabase {
  #places = 0;
  private constructor(
    private readonly folder: TemporaryFolder,
    private readonly server: EmbeddedPostgres,
    private readonly open: Opened,
  ) {}

  static async start(): Promise<DrillDatabase> {
    const folder = temporaryFolder('kill-drill-enrolment');
    const server = await startEmbeddedPostgres({ dataFolder: folder.path, clock: systemClock });
    const database = await HubDatabase.open(server.urls);
    const owner = await migrationSource(server.urls.ownerUrl).initialize();
    const program = join(import.meta.dirname, '../../../../deploy/certs/make-certs.mjs');
    const words = [program, join(folder.path, 'certs'), 'site-a'];
    const printed = execFileSync(process.execPath, words).toString();
    const { hub } = JSON.parse(printed) as { hub: object };
    const files = { ...hub, nationalAnchorFiles: [] };
    return new DrillDatabase(folder, server, { owner, database, files });
  }

  async stop(): Promise<void> {
    await this.open.owner.destroy();
    await this.open.database.close();
    await this.server.stop();
    await removeServerFolder(this.folder.path);
    this.folder.remove();
  }

  /** A hub that has no authority, no token and no certificate yet. */
  async fresh(): Promise<KilledHub> {
    const { owner, database, files } = this.open;
    await owner.query('TRUNCATE authority, join_token, gateway_certificate');
    this.#places += 1;
    const siteName = `site-${this.#places}`;
    const site = { siteName, purpose: 'demonstration' } as const;
    await enrolNamedSite(database, site, async () => undefined);
    const dataFolder = join(this.folder.path, siteName);
    mkdirSync(dataFolder);
    return new KilledHub({ urls: this.server.urls, files, database, siteName, dataFolder });
  }
}

interface KilledHubOptions {
  readonly urls: EmbeddedPostgres['urls'];
  readonly files: object;
  readonly database: HubDatabase;
  readonly siteName: string;
  readonly dataFolder: string;
}
/** One hub with one site: its folder, its rows, and the lives that it has. */
export class KilledHub {
  readonly clock = new FakeClock(systemClock.nowMs());
  constructor(private readonly options: KilledHubOptions) {}

  get #uri(): string {
    return `URI:spiffe://aifi/site/${this.options.siteName}/gw/1`;
  }

  killed(point: string, work: readonly Work[]): Promise<void> {
    return killedAt(`hub.enrolment.${point}`, LIFE, [this.#order(work)]);
  }
  /** What each piece of work gave: a certificate, or the code of its refusal. */
  async lived(...work: readonly Work[]): Promise<string[]> {
    return JSON.parse(await livedOn(LIFE, [this.#order(work)])) as string[];
  }
  #order(work: readonly Work[]): string {
    const { urls, files, dataFolder } = this.options;
    const [uri, nowMs] = [this.#uri, this.clock.nowMs()];
    return JSON.stringify({ urls, files, dataFolder, uri, nowMs, work });
  }

  /** A join with a token of its own. */
  async join(): Promise<Join> {
    const secret = newSecret(systemRandomness);
    const about = { siteId: this.options.siteName, gateway: 1, createdBy: 'anne' };
    const nowMs = this.clock.nowMs();
    await this.#read((sql) => insertToken(sql, { ...about, secret, nowMs }));
    return { act: 'join', secret, csr: await csrOf() };
  }

  authorities(): Promise<Authority[]> {
    return this.#read(listAuthorities);
  }
  certificates(): Promise<CertificateRecord[]> {
    return this.#read((sql) => listCertificates(sql, this.options.siteName));
  }
  /** Names of the authorities whose keys lie on disk; anything else there is a fault. */
  keys(): string[] {
    const names = readdirSync(join(this.options.dataFolder, 'authority'));
    return names.map((name) => /^([0-9a-f]{64})\.key\.pem$/.exec(name)?.[1] ?? `not: ${name}`);
  }
  keyOf(id: string): string {
    const path = join(this.options.dataFolder, 'authority', `${id}.key.pem`);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    return readFileSync(path, 'utf8');
  }
  /** Serial number that the last life drew last. */
  drawn(): Buffer {
    const drawn = readFileSync(join(this.options.dataFolder, 'drawn'), 'utf8').trim().split('\n');
    return Buffer.from(drawn.at(-1)!, 'hex');
  }

  /** What the last life signed and told nobody. */
  async untold(csr: string): Promise<string> {
    const signer = (await this.authorities()).find(({ state }) => state === 'active')!;
    const key = this.keyOf(signer.id);
    const moment = { nowMs: this.clock.nowMs(), randomness: () => this.drawn() };
    const publicKey = await readRequest(csr);
    const peer = peerFromAlternativeNames(this.#uri);
    return (await signGateway({ ...signer, key }, peer, publicKey, moment)).certificate;
  }
  /** 'in force', or why not. */
  admits(certificate: string): Promise<string> {
    const { database } = this.options;
    const options = { database, clock: this.clock, staticAnchors: [], nationalAnchors: [] };
    const admitted = new HubTrust(options).admit(new X509Certificate(certificate));
    return admitted.then(
      () => 'in force',
      (error: unknown) => AifiError.from(error).message,
    );
  }

  async records(): Promise<Records> {
    const [row] = await this.#read((sql) =>
      sql.rows<{ joins: number; refused: number; renewals: number }>(
        `SELECT count(*) FILTER (WHERE act = 'gateway.join' AND outcome = 'success')::int AS joins,
           count(*) FILTER (WHERE act = 'gateway.join' AND outcome = 'refused')::int AS refused,
           count(*) FILTER (WHERE act = 'certificate.renew')::int AS renewals
         FROM audit_record WHERE site_id = $1`,
        this.options.siteName,
      ),
    );
    return row!;
  }

  /** The rules that hold after every life, dead or not. */
  async expectWhole(): Promise<void> {
    const authorities = await this.authorities();
    const active = authorities.filter(({ state }) => state === 'active');
    expect(active).toHaveLength(authorities.length > 0 ? 1 : 0);
    for (const { id, certificate } of active) {
      const key = createPrivateKey(this.keyOf(id));
      expect(new X509Certificate(certificate).checkPrivateKey(key)).toBe(true);
    }
    const created = await this.#column(
      `SELECT a.authority_id FROM authority a
       JOIN audit_record r ON r.object_id = a.authority_id AND r.act = 'authority.create'`,
    );
    // The first one only: the order of a rotation is recorded by who gives it.
    expect(created).toEqual(authorities.slice(-1).map(({ id }) => id));
    const all = (await this.certificates()).map(({ serial }) => serial);
    // One record each, and nothing recorded that is not there.
    const told = await this.#column(
      `SELECT object_id FROM audit_record WHERE object_type = 'certificate' AND site_id = $1`,
      this.options.siteName,
    );
    expect(told.sort()).toEqual(all.sort());
    const used = await this.#column('SELECT secret_sha256 FROM join_token WHERE used_at > $1', 0);
    expect(used).toHaveLength((await this.records()).joins);
  }
  #read<T>(work: (sql: Sql) => Promise<T>): Promise<T> {
    return this.options.database.withAccess(work);
  }
  async #column(text: string, given?: string | number): Promise<unknown[]> {
    const value = typeof given === 'number' ? new Date(given) : given;
    const rows = await this.#read((sql) =>
      value === undefined ? sql.rows<object>(text) : sql.rows<object>(text, value),
    );
    return rows.flatMap((row) => Object.values(row));
  }

  /** Another start of the hub changes no row, no key and no record. */
  async expectSettled(): Promise<void> {
    await this.expectWhole();
    const before = await this.#everything();
    await this.lived();
    expect(await this.#everything()).toEqual(before);
  }
  async #everything(): Promise<object> {
    const rows = await this.#column(
      `SELECT to_jsonb(a) FROM authority a UNION ALL SELECT to_jsonb(t) FROM join_token t
       UNION ALL SELECT to_jsonb(c) FROM gateway_certificate c
       UNION ALL SELECT to_jsonb(count(*)) FROM audit_record`,
    );
    return { rows, keys: this.keys().map((id) => [id, sha256Hex(this.keyOf(id))]) };
  }
}

export async function csrOf(): Promise<string> {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    ...{ name: 'CN=gateway', keys, signingAlgorithm: ALGORITHM },
  });
  return request.toString('pem');
}
export const renewal = async (of?: string): Promise<Renewal> => ({
  ...{ act: 'renew', csr: await csrOf() },
  ...(of !== undefined && { of }),
});
export const serialIn = ({ serialNumber }: X509Certificate): Buffer =>
  Buffer.from(serialNumber.padStart(32, '0'), 'hex');
