/**
 * EnrolmentService: what operators do about tokens, certificates, authorities and bindings.
 * Decides that each act is one transaction with its record, and that a change of who is let in is
 * looked at by the link at once. Invariants: a token's secret is answered to its maker and kept
 * nowhere, also not for a repeat of the request; a binding needs the grant of a second person.
 * Source: docs/adr/0021-enrolment.md; security specification 5; reliability specification C1.
 */
import { X509Certificate } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { endApproval, type Approval } from '@aifi/access-approvals';
import type { Caller } from '@aifi/access-web';
import type { hubRoutes, RouteInput, RouteOutput } from '@aifi/contracts-rest';
import { ALL_SITES, enrolNamedSite, type Sql } from '@aifi/hub-database';
import {
  bindingObject,
  endBinding,
  identitiesOf,
  insertBinding,
  insertToken,
  listBindings,
  listCertificates,
  newSecret,
  revokeCertificate,
  tokenText,
  type RevokedCertificate,
  type SubjectIdentity,
} from '@aifi/hub-enrolment';
import { publishRules } from '@aifi/hub-route';
import { AifiError, sha256Hex } from '@aifi/shared-kernel';
import { bindingView, certificateView } from './enrolment-views.js';
import { HUB_PARTS, type HubParts } from './hub-parts.js';
import { knownSite } from './hub-queries.js';
import { HubRuntime } from './hub-runtime.js';

type Routes = typeof hubRoutes;
type In<R extends keyof Routes> = RouteInput<Routes[R]>;
type Out<R extends keyof Routes> = Promise<RouteOutput<Routes[R]>>;

@Injectable()
export class EnrolmentService {
  constructor(
    @Inject(HUB_PARTS) private readonly parts: HubParts,
    @Inject(HubRuntime) private readonly runtime: HubRuntime,
  ) {}

  async issueToken(caller: Caller, { params, body }: In<'issueJoinToken'>): Out<'issueJoinToken'> {
    const { access, clock, enrolment } = this.parts;
    const { siteId } = params;
    const { gateway } = body;
    const { anchorSha256: ca } = enrolment.serverChain();
    if (!ca) {
      throw new AifiError('CONFIG_INVALID', 'grpc.caFile does not vouch for grpc.certificateFile');
    }
    await this.#enrolSite(siteId);
    const secret = newSecret(enrolment.randomness);
    const secretSha256 = sha256Hex(secret);
    const made = await access.acts.perform(caller, { params, body }, async (sql) => {
      const nowMs = clock.nowMs();
      const token = { siteId, gateway, secret, createdBy: caller.userId, nowMs };
      const { expiresAtMs } = await insertToken(sql, token);
      const subject = { objectType: 'join-token', objectId: secretSha256, siteId };
      return {
        answer: { expiresAtMs, secretSha256 },
        subject: { ...subject, detail: { gateway, expiresAtMs } },
      };
    });
    if (made.secretSha256 !== secretSha256) {
      throw new AifiError('STATE_CONFLICT', 'the token was shown already; ask for a new one');
    }
    const token = tokenText({ hub: this.#publicAddress(), ca, secret });
    return { siteId, gateway, token, expiresAtMs: made.expiresAtMs };
  }

  async certificates(siteName: string): Out<'certificates'> {
    const { database, clock } = this.parts;
    const siteId = await knownSite(database, siteName);
    const [certificates, bindings] = await database.withAccess(async (sql) => [
      await listCertificates(sql, siteId),
      await listBindings(sql, siteId),
    ]);
    const nowMs = clock.nowMs();
    return {
      certificates: certificates.map((record) => certificateView(record, nowMs)),
      bindings: bindings.map(bindingView),
    };
  }

  async revoke(
    caller: Caller,
    { params, body }: In<'revokeCertificate'>,
  ): Out<'revokeCertificate'> {
    const { siteId, serial } = params;
    const { reason } = body;
    const answer = await this.#perform(caller, { params, body }, async (sql, nowMs) => {
      const by = caller.userId;
      const record = await revokeCertificate(sql, { siteId, serial, by, reason, nowMs });
      const detail = { gateway: record.gateway, ...heirsOf(record) };
      const subject = { objectType: 'certificate', objectId: serial, siteId, reason, detail };
      return { answer: certificateView(record, nowMs), subject };
    });
    this.runtime.lookAtLink();
    return answer;
  }

  async authorities(): Out<'authority'> {
    return { authorities: await this.parts.enrolment.authority.list() };
  }

  async rotate(caller: Caller, { body }: In<'rotateAuthority'>): Out<'rotateAuthority'> {
    const { authority } = this.parts.enrolment;
    await this.#perform(caller, { body }, async (sql) => {
      const { made, before } = await authority.rotate(sql);
      const detail = { before: before.id };
      const { reason } = body;
      const subject = { objectType: 'authority', objectId: made.id, siteId: ALL_SITES };
      return { answer: made.id, subject: { ...subject, reason, detail } };
    });
    await authority.forgetOldKeys();
    this.runtime.lookAtLink();
    return this.authorities();
  }

  inspect({ certificate, gateway }: In<'inspectCertificate'>['body']): {
    subject: string;
    notAfterMs: number;
    identities: (SubjectIdentity & { objectId: string })[];
  } {
    const parsed = certificateOf(certificate);
    return {
      subject: parsed.subject,
      notAfterMs: parsed.validToDate.getTime(),
      identities: identitiesOf(parsed).map((identity) => ({
        ...identity,
        objectId: bindingObject(gateway, identity),
      })),
    };
  }

  async bind(caller: Caller, { body }: In<'createBinding'>): Out<'createBinding'> {
    const { siteId, gateway, ...identity } = body;
    caller.requireSite(siteId);
    const objectId = bindingObject(gateway, identity);
    caller.about({ objectType: 'binding', objectId, siteId });
    const { approvals } = this.parts.access;
    return this.#perform(caller, { body }, async (sql, nowMs) => {
      const grant = await this.#requireGrant(caller, siteId, objectId);
      const approvedBy = grant.decidedBy!.id;
      const wanted = { siteId, gateway, identity, approvedBy, nowMs };
      const binding = await insertBinding(sql, { ...wanted, requestedBy: caller.userId });
      // Used once: the same two would have to agree anew.
      const locked = await approvals.find(sql, grant.id);
      if (!locked) throw new AifiError('STATE_CONFLICT', 'the grant has ended');
      await approvals.update(sql, endApproval(locked, { nowMs }));
      const subject = { objectType: 'binding', objectId: binding.id, siteId, reason: grant.reason };
      const detail = { gateway, about: objectId, approval: grant.id };
      return {
        answer: bindingView(binding),
        subject: { ...subject, responsibleUserId: approvedBy, detail },
      };
    });
  }

  async unbind(caller: Caller, { params, body }: In<'endBinding'>): Out<'endBinding'> {
    const { siteId, bindingId: id } = params;
    const { reason } = body;
    const answer = await this.#perform(caller, { params, body }, async (sql, nowMs) => {
      const ended = await endBinding(sql, { siteId, id, by: caller.userId, nowMs });
      const detail = { gateway: ended.gateway };
      const subject = { objectType: 'binding', objectId: id, siteId, reason, detail };
      return { answer: bindingView(ended), subject };
    });
    this.runtime.lookAtLink();
    return answer;
  }

  #perform<T>(
    caller: Caller,
    request: unknown,
    work: (
      sql: Sql,
      nowMs: number,
    ) => Promise<{ answer: T; subject: Parameters<Caller['draft']>[0] }>,
  ): Promise<T> {
    const { access, clock } = this.parts;
    return access.acts.perform(caller, request, (sql) => work(sql, clock.nowMs()));
  }

  async #requireGrant(caller: Caller, siteId: string, objectId: string): Promise<Approval> {
    const { access, clock } = this.parts;
    const by = { userId: caller.userId, nowMs: clock.nowMs() };
    const query = { act: caller.act, siteId, objectId, ...by };
    const grant = await access.approvals.findGrant(query);
    if (grant?.decidedBy) return grant;
    throw new AifiError('APPROVAL_REQUIRED', 'a second person has not agreed to this');
  }

  async #enrolSite(siteName: string): Promise<void> {
    const { clock, config, database, models, signingKey } = this.parts;
    const findModel = models.get.bind(models);
    const { purpose } = config;
    await enrolNamedSite(database, { siteName, purpose }, (sql, site) =>
      publishRules(sql, site, { findModel, signingKey, clock }),
    );
  }

  #publicAddress(): string {
    const { grpc, publicUrl } = this.parts.config;
    const port = this.runtime.linkPort ?? grpc.port;
    return grpc.publicAddress ?? `${new URL(publicUrl).hostname}:${port}`;
  }
}

/** Bounded as a record of the trail is: the rest shows in the list of certificates. */
const HEIRS_NAMED_MAX = 16;
const heirsOf = ({ heirs }: RevokedCertificate): { heirs?: string; heirCount?: number } =>
  heirs.length === 0
    ? {}
    : { heirs: heirs.slice(0, HEIRS_NAMED_MAX).join(' '), heirCount: heirs.length };

function certificateOf(pem: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (error) {
    throw new AifiError('INVALID_ARGUMENT', 'the request does not match: certificate', {
      cause: error,
    });
  }
}
