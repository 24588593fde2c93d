/**
 * JoinService: a token and a request become the first certificate of a gateway.
 * Decides that token, certificate and record are one transaction; that a spent token is told
 * nothing that an unknown one is not; and that a replay of a known one is recorded.
 * Invariants: two requests with one token get one certificate; the site is the one of the token.
 * Source: docs/adr/0021-enrolment.md; security specification 5 (audit); reliability C1.
 */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { appendAudit, systemDraft, type HubDatabase, type Sql } from '@aifi/hub-database';
import { AifiError, crashPoint, type Clock } from '@aifi/shared-kernel';
import { readRequest, signGateway, type Randomness } from './certificate-profile.js';
import { recordCertificate } from './certificates.js';
import type { HubAuthority } from './hub-authority.js';
import { findToken, markUsed, type FoundToken } from './join-token.js';
import type { TrustBundles } from './trust-bundle.js';

export const joinRequestSchema = z.strictObject({
  secret: z.string().min(16).max(512),
  /** PKCS #10, PEM. */
  csr: z.string().max(8_192),
  gatewayVersion: z.string().regex(/^[\w.+-]{1,64}$/),
});
export type JoinRequest = z.infer<typeof joinRequestSchema>;

export interface JoinAnswer {
  readonly siteId: string;
  readonly gateway: number;
  readonly certificate: string;
  readonly trustAnchors: readonly string[];
  readonly signingKeys: readonly string[];
  readonly configuration: { readonly document: string; readonly signature: string };
}

export interface JoinServiceOptions {
  readonly database: HubDatabase;
  readonly clock: Clock;
  readonly authority: HubAuthority;
  readonly bundles: TrustBundles;
  readonly randomness: Randomness;
}
type Joined = Pick<JoinAnswer, 'certificate'> & { readonly token: FoundToken };

export class JoinService {
  constructor(private readonly options: JoinServiceOptions) {}

  /** UNTRUSTED, in the same words, for a token that is unknown, used, expired or of no use. */
  async join(request: JoinRequest, sourceAddress: string): Promise<JoinAnswer> {
    const { bundles, clock, database } = this.options;
    const publicKey = await readRequest(request.csr);
    const bundle = await bundles.bundle();
    const about = { request, sourceAddress };
    const done = await database.withAccess<Joined | FoundToken | undefined>(async (sql) => {
      const token = await findToken(sql, request.secret, clock.nowMs());
      if (!token || token.spent) return token;
      return { certificate: await this.#issue(sql, token, publicKey, about), token };
    });
    crashPoint('hub.enrolment.after-join-recorded');
    if (!done || !('certificate' in done)) {
      if (done) await this.#recordReplay(done, sourceAddress);
      throw new AifiError('UNTRUSTED', 'the token is not valid');
    }
    const { peer } = done.token;
    const { document, signature } = bundles.configurationFor(peer, bundle);
    return {
      ...{ siteId: peer.siteId, gateway: peer.gateway, certificate: done.certificate },
      ...bundle,
      configuration: {
        document: document.toString('base64'),
        signature: signature.toString('base64'),
      },
    };
  }

  async #issue(
    sql: Sql,
    token: FoundToken,
    publicKey: Awaited<ReturnType<typeof readRequest>>,
    about: { readonly request: JoinRequest; readonly sourceAddress: string },
  ): Promise<string> {
    const { authority, clock, randomness } = this.options;
    const nowMs = clock.nowMs();
    const signer = await authority.signer(sql);
    const issued = await signGateway(signer, token.peer, publicKey, { nowMs, randomness });
    crashPoint('hub.enrolment.before-join-recorded');
    await recordCertificate(sql, token.peer, { ...issued, authorityId: signer.id, renews: null });
    await markUsed(sql, token, nowMs);
    const { gatewayVersion } = about.request;
    const detail = { gateway: token.peer.gateway, gatewayVersion };
    const draft = draftOf(token, { objectId: issued.serial, objectType: 'certificate', detail });
    await appendAudit(sql, { ...draft, sourceAddress: about.sourceAddress }, nowMs);
    return issued.certificate;
  }

  /** An unknown secret leaves no record: anybody could fill the trail with those. */
  async #recordReplay(token: FoundToken, sourceAddress: string): Promise<void> {
    const { database, clock } = this.options;
    const objectId = token.secretSha256;
    const detail = { gateway: token.peer.gateway, state: token.spent ?? '' };
    const draft = draftOf(token, { objectId, objectType: 'join-token', detail });
    const refused = { ...draft, outcome: 'refused', code: 'UNTRUSTED', sourceAddress } as const;
    await database.withAccess((sql) => appendAudit(sql, refused, clock.nowMs()));
  }
}

function draftOf(
  { peer, createdBy }: FoundToken,
  about: Pick<Parameters<typeof systemDraft>[1], 'objectType' | 'objectId' | 'detail'>,
): ReturnType<typeof systemDraft> {
  const draft = systemDraft('gateway.join', {
    ...{ ...about, siteId: peer.siteId, correlationId: randomUUID() },
  });
  // Whoever has the token acts for the person who made it.
  return { ...draft, userId: 'gateway', userName: 'gateway', responsibleUserId: createdBy };
}
