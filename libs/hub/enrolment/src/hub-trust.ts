/**
 * HubTrust: whom a verified certificate stands for, by the records of enrolment.
 * Decides by who signed it: an authority of the hub (the row of its serial number must hold these
 * very bytes), a static authority of the configuration (its URI names the gateway), or anything
 * else that the TLS layer verified (only by a binding, whatever names it carries).
 * Invariants: signatures are checked here, as the chain that a peer sends may hold anything; nobody
 * of a site that is not active gets in, nor a gateway that another one has taken over.
 * Source: reliability specification C1; RFC 5280 6.
 */
import { X509Certificate } from 'node:crypto';
import { bindPeer, peerFromAlternativeNames, type LinkPeer } from '@aifi/hub-identity';
import type { Admission, LinkTrust } from '@aifi/hub-link';
import type { HubDatabase, Sql } from '@aifi/hub-database';
import { AifiError, type Clock } from '@aifi/shared-kernel';
import { findBindings } from './bindings.js';
import { findCertificate } from './certificates.js';
import { serialOf } from './certificate-profile.js';
import { listAuthorities } from './hub-authority.js';
import { isIssuedBy } from './pem-file.js';
import { identitiesOf, identityDigest } from './subject-identity.js';

export interface HubTrustOptions {
  readonly database: HubDatabase;
  readonly clock: Clock;
  /** Authorities of the configuration whose gateways need no record: development, first steps. */
  readonly staticAnchors: readonly X509Certificate[];
  /** Authorities of national PKIs: their certificates mean nothing without a binding. */
  readonly nationalAnchors: readonly X509Certificate[];
}

/** What an admission rests on. */
interface Ground {
  readonly validToMs: number;
  /** Of a certificate that the hub signed. */
  readonly serial?: string;
  /** Of a binding. */
  readonly identitySha256?: string;
}

export class HubTrust implements LinkTrust {
  readonly #grounds = new WeakMap<Admission, Ground>();

  constructor(private readonly options: HubTrustOptions) {}

  async anchors(): Promise<readonly string[]> {
    const { staticAnchors, nationalAnchors } = this.options;
    const own = await this.#ownAnchors();
    return [...staticAnchors, ...own, ...nationalAnchors].map((one) => one.toString());
  }

  async admit(certificate: X509Certificate): Promise<Admission> {
    const validToMs = certificate.validToDate.getTime();
    if (this.options.clock.nowMs() >= validToMs) throw untrusted('the certificate has ended');
    const own = await this.#ownAnchors();
    if (own.some((one) => isIssuedBy(certificate, one))) return this.#admitOwn(certificate);
    if (this.options.staticAnchors.some((one) => isIssuedBy(certificate, one))) {
      const peer = peerOf(certificate);
      await this.#read((sql) => requireServed(sql, peer));
      return this.#admission({ peer, release: () => undefined }, { validToMs });
    }
    return this.#admitBound(certificate);
  }

  async lapsed(open: readonly Admission[]): Promise<ReadonlySet<Admission>> {
    if (open.length === 0) return new Set();
    const grounds = open.map((admission) => this.#grounds.get(admission)!);
    const serials = grounds.flatMap(({ serial }) => serial ?? []);
    const identities = grounds.flatMap(({ identitySha256 }) => identitySha256 ?? []);
    const nowMs = this.options.clock.nowMs();
    const now = await this.#read(async (sql) => ({
      sites: await activeSites(sql),
      gone: await takenOver(sql),
      certificates: await acceptedOf(sql, serials, nowMs),
      bindings: await boundOf(sql, identities),
    }));
    const holds = ({ peer }: Admission, ground: Ground): boolean => {
      const { siteId, gateway } = peer;
      if (!now.sites.has(siteId) || nowMs >= ground.validToMs) return false;
      if (now.gone.has(`${siteId} ${gateway}`)) return false;
      const { serial, identitySha256: identity } = ground;
      if (serial !== undefined) return now.certificates.has(`${siteId} ${serial}`);
      return identity === undefined || now.bindings.has(`${siteId} ${gateway} ${identity}`);
    };
    return new Set(open.filter((admission, index) => !holds(admission, grounds[index]!)));
  }

  async #admitOwn(certificate: X509Certificate): Promise<Admission> {
    const peer = peerOf(certificate);
    const serial = serialOf(certificate);
    const record = await this.#read(async (sql) => {
      await requireServed(sql, peer);
      return findCertificate(sql, peer.siteId, serial);
    });
    const isSame =
      record !== undefined &&
      record.gateway === peer.gateway &&
      new X509Certificate(record.certificate).raw.equals(certificate.raw);
    if (!isSame) throw untrusted('the certificate is not on record');
    if (record.revokedAtMs !== null) throw untrusted('the certificate is revoked');
    if (this.options.clock.nowMs() >= record.validUntilMs) {
      throw untrusted('the certificate was renewed and has ended');
    }
    const ground = { validToMs: record.validUntilMs, serial };
    return this.#admission({ peer, release: () => undefined }, ground);
  }

  async #admitBound(certificate: X509Certificate): Promise<Admission> {
    const digests = identitiesOf(certificate).map(identityDigest);
    const { found, gone } = await this.#read(async (sql) => ({
      found: await findBindings(sql, digests),
      gone: await takenOver(sql),
    }));
    const [bound] = found;
    const isOne = found.every(
      ({ siteName, gateway }) => siteName === bound?.siteName && gateway === bound.gateway,
    );
    if (!bound || !isOne) throw untrusted('the certificate is bound to no gateway');
    if (gone.has(`${bound.siteName} ${bound.gateway}`)) throw untrusted(TAKEN_OVER);
    const validToMs = certificate.validToDate.getTime();
    const ground = { validToMs, identitySha256: bound.identitySha256 };
    return this.#admission(bindPeer(certificate.fingerprint256, bound), ground);
  }

  #admission(admission: Admission, ground: Ground): Admission {
    this.#grounds.set(admission, ground);
    return admission;
  }

  #read<T>(work: (sql: Sql) => Promise<T>): Promise<T> {
    return this.options.database.withAccess(work);
  }

  async #ownAnchors(): Promise<X509Certificate[]> {
    const known = await this.#read(listAuthorities);
    return known
      .filter(({ state }) => state !== 'retired')
      .map(({ certificate }) => new X509Certificate(certificate));
  }
}

const untrusted = (words: string): AifiError => new AifiError('UNTRUSTED', words);

const peerOf = (certificate: X509Certificate): LinkPeer =>
  peerFromAlternativeNames(certificate.subjectAltName ?? '');

const TAKEN_OVER = 'another gateway has taken this one over';

async function requireServed(sql: Sql, { siteId, gateway }: LinkPeer): Promise<void> {
  const sites = await activeSites(sql, siteId);
  if (!sites.has(siteId)) throw untrusted('the site is not enrolled, or not active');
  const gone = await takenOver(sql);
  if (gone.has(`${siteId} ${gateway}`)) throw untrusted(TAKEN_OVER);
}

/** Gateways that were taken over: a handful of burnt-down boxes in the life of a hub. */
async function takenOver(sql: Sql): Promise<ReadonlySet<string>> {
  const rows = await sql.rows<{ key: string }>(
    `SELECT site_id || ' ' || gateway AS key FROM gateway_take_over`,
  );
  return new Set(rows.map((row) => row.key));
}

async function activeSites(sql: Sql, only?: string): Promise<ReadonlySet<string>> {
  const rows = await sql.rows<{ site_id: string }>(
    `SELECT site_id FROM site WHERE state = 'active' AND ($1::text IS NULL OR site_id = $1)`,
    only ?? null,
  );
  return new Set(rows.map((row) => row.site_id));
}

async function acceptedOf(
  sql: Sql,
  serials: readonly string[],
  nowMs: number,
): Promise<ReadonlySet<string>> {
  const rows = await sql.rows<{ key: string }>(
    `SELECT site_id || ' ' || serial AS key FROM gateway_certificate
     WHERE serial = ANY($1) AND revoked_at IS NULL AND valid_until > $2`,
    serials,
    new Date(nowMs),
  );
  return new Set(rows.map((row) => row.key));
}

async function boundOf(sql: Sql, identities: readonly string[]): Promise<ReadonlySet<string>> {
  const found = await findBindings(sql, identities);
  return new Set(
    found.map(
      ({ siteName, gateway, identitySha256 }) => `${siteName} ${gateway} ${identitySha256}`,
    ),
  );
}
