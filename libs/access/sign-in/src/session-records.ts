/**
 * Session records: what the audit trail says of the begin and end of sessions.
 * Decides who is named as the doer, and that strangers cannot fill the trail: refused sign-ins are
 * written up to a rate and counted beyond it. Invariant: a session is named by the hash of its
 * cookie; no token, code or address of a page is ever in a record.
 * Source: NEN 7513; security specification 5.
 */
import { ruleOf, type Act } from '@aifi/access-authorisation';
import type { AuditDraft } from '@aifi/contracts-rest';
import type { Clock, ErrorCode } from '@aifi/shared-kernel';
import type { SessionRecord, SignInRequest } from './sign-in.js';

export type SessionAct = Extract<Act, `session.${'start' | 'step-up' | 'end' | 'revoke'}`>;
type Doer = Pick<AuditDraft, 'userId' | 'userName' | 'userKind'>;
export type Origin = Pick<SignInRequest, 'sourceAddress' | 'correlationId'>;

const ANONYMOUS: Doer = { userId: 'anonymous', userName: 'anonymous', userKind: 'anonymous' };
/** The provider ends a session of its own accord: nobody at a page did. */
const PROVIDER: Doer = {
  ...{ userId: 'openid-provider', userName: 'openid-provider', userKind: 'system' },
};
const doerOf = ({ userId, userName }: Pick<SessionRecord, 'userId' | 'userName'>): Doer => ({
  ...{ userId, userName, userKind: 'person' },
});
/** Refused sign-ins that are written in one minute: more than people make. [policy] */
const REFUSALS_PER_MINUTE_MAX = 60;
/** Object of a sign-in that made no session. */
const NO_SESSION = '-';

export class SessionRecords {
  #minute = 0;
  #written = 0;
  #unwritten = 0;

  constructor(
    private readonly homeSite: string,
    private readonly clock: Clock,
    private readonly recordAnonymous: (draft: AuditDraft) => Promise<void>,
  ) {}

  /** Somebody did it to the own session. */
  own(
    act: SessionAct,
    session: Pick<SessionRecord, 'idHash' | 'userId' | 'userName'>,
    origin: Origin,
    detail: AuditDraft['detail'] = {},
  ): AuditDraft {
    return { ...this.#draft(act, origin), ...doerOf(session), objectId: session.idHash, detail };
  }

  /** The provider ended it. */
  revoked(session: SessionRecord, origin: Origin, because: string): AuditDraft {
    const detail = { because, user: session.userId };
    const draft = this.#draft('session.revoke', origin);
    return { ...draft, ...PROVIDER, objectId: session.idHash, detail };
  }

  /** A sign-in that did not succeed; a step-up that did not names whose session it was for. */
  async refused(
    session: Pick<SessionRecord, 'idHash' | 'userId' | 'userName'> | undefined,
    origin: Origin,
    { code, because }: { readonly code: ErrorCode; readonly because: string },
  ): Promise<void> {
    const unwritten = this.#mayWrite(session !== undefined);
    if (unwritten === undefined) return;
    const act = session ? 'session.step-up' : 'session.start';
    await this.recordAnonymous({
      ...this.#draft(act, origin),
      ...(session ? doerOf(session) : ANONYMOUS),
      objectId: session?.idHash ?? NO_SESSION,
      outcome: code === 'PEER_UNAVAILABLE' ? 'unavailable' : 'refused',
      code,
      detail: { because, ...(unwritten > 0 && { unwritten }) },
    });
  }

  /** How many were left out before this one; undefined: leave this one out as well. */
  #mayWrite(isKnown: boolean): number | undefined {
    if (isKnown) return 0;
    const minute = Math.floor(this.clock.nowMs() / 60_000);
    if (minute !== this.#minute) [this.#minute, this.#written] = [minute, 0];
    if (this.#written >= REFUSALS_PER_MINUTE_MAX) {
      this.#unwritten += 1;
      return undefined;
    }
    this.#written += 1;
    const unwritten = this.#unwritten;
    this.#unwritten = 0;
    return unwritten;
  }

  #draft(act: SessionAct, origin: Origin): Omit<AuditDraft, keyof Doer | 'objectId' | 'detail'> {
    return {
      ...{ act, action: ruleOf(act).action, outcome: 'success', code: null, role: null },
      ...{ responsibleUserId: null, siteId: this.homeSite, objectType: 'session' },
      ...{ patientId: null, reason: null },
      ...{ sourceAddress: origin.sourceAddress, correlationId: origin.correlationId },
    };
  }
}
