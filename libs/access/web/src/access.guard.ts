/**
 * AccessGuard: authenticates, decides, checks and parses before any handler runs.
 * Decides that a handler without a row of the tables is refused, and that a signed-in caller's
 * refusal is recorded. Invariants: a POST with a session cookie carries the session's token; a POST
 * names an idempotency key; what does not match the contract never reaches a handler.
 * Source: security specification 5 and 7 (V2, V3, V8); RFC 9470.
 */
import {
  type CanActivate,
  type ExecutionContext,
  Inject,
  Injectable,
  NotFoundException,
} from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { randomUUID, timingSafeEqual } from 'node:crypto';
import { decide, type Allowed, type Principal } from '@aifi/access-authorisation';
import type { SignedIn } from '@aifi/access-sign-in';
import {
  CSRF_HEADER,
  IDEMPOTENCY_HEADER,
  type AuditDraft,
  type RouteContract,
  type RouteInput,
} from '@aifi/contracts-rest';
import { AifiError } from '@aifi/shared-kernel';
import { requestOf, type HttpRequest } from './http-request.js';
import { CallerOfRequest } from './request-caller.js';
import { ROUTE, type BoundRoute } from './route-decorator.js';
import { WEB_ACCESS, type WebAccessOptions } from './web-access-options.js';

const ANONYMOUS: Principal = { kind: 'anonymous' };
const IDEMPOTENCY_KEY = /^[\w-]{8,64}$/;

@Injectable()
export class AccessGuard implements CanActivate {
  constructor(
    @Inject(WEB_ACCESS) private readonly options: WebAccessOptions,
    @Inject(Reflector) private readonly reflector: Reflector,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const route = this.reflector.get<BoundRoute | undefined>(ROUTE, context.getHandler());
    // Default deny: a handler that is in no table does not exist.
    if (!route) throw new NotFoundException();
    const request = requestOf(context);
    const signedIn = await this.#authenticate(request, route);
    const principal = signedIn?.principal ?? ANONYMOUS;
    const decision = decide(principal, route.act, this.options.clock.nowMs());
    const allowed: Allowed = decision.ok
      ? decision.value
      : { role: null, reach: { kind: 'sites', siteIds: [] }, reasonRequired: false };
    const caller = this.#callerOf(request, { route, principal, allowed });
    if (!decision.ok) {
      const fault = new AifiError(decision.code, WORDS[decision.code]);
      await this.#refuse(request, { caller, route, fault });
    }
    try {
      if (route.contract.method === 'POST') requireSafePost(request, route, signedIn);
      const input = parseInput(route.contract, request);
      const { siteId } = (input.params ?? {}) as { siteId?: string };
      if (siteId !== undefined) caller.requireSite(siteId);
      request.aifi = { input, caller, ...(signedIn && { signedIn }) };
    } catch (error) {
      await this.#refuse(request, { caller, route, fault: AifiError.from(error) });
    }
    return true;
  }

  /** Public acts look at no credentials: a stale cookie must not keep anyone from signing in. */
  #authenticate(request: HttpRequest, { act }: BoundRoute): Promise<SignedIn | undefined> {
    if (decide(ANONYMOUS, act, 0).ok) return Promise.resolve(undefined);
    return this.options.signIn.authenticate(signInRequestOf(request));
  }

  #callerOf(
    request: HttpRequest,
    facts: { route: BoundRoute; principal: Principal; allowed: Allowed },
  ): CallerOfRequest {
    const { homeSite, audit: sink } = this.options;
    const { sourceAddress, correlationId } = signInRequestOf(request);
    return new CallerOfRequest({
      ...{ principal: facts.principal, act: facts.route.act, allowed: facts.allowed },
      ...{ sourceAddress, correlationId, homeSite, sink },
      idempotencyKey: header(request, IDEMPOTENCY_HEADER) ?? null,
    });
  }

  /** Records the refusal of somebody known; nobody can fill the trail from outside. */
  async #refuse(request: HttpRequest, { caller, route, fault }: Refused): Promise<never> {
    this.options.onRefused?.(fault.code);
    const isKnown = caller.principal.kind !== 'anonymous';
    // A step-up is asked for on the way to nearly every dangerous act: no refusal, a question.
    if (isKnown && fault.code !== 'STEP_UP_REQUIRED') {
      // Whose data was tried: an address never holds a patient, and unparsed text is not kept.
      const params = route.contract.params?.safeParse(request.params);
      const detail = (params?.success ? params.data : {}) as AuditDraft['detail'];
      const subject = { objectType: 'route', objectId: route.id, detail };
      await this.options.audit.append(caller.draftOf(subject, 'refused', fault.code));
    }
    throw fault;
  }
}

interface Refused {
  readonly caller: CallerOfRequest;
  readonly route: BoundRoute;
  readonly fault: AifiError;
}
const WORDS = {
  UNAUTHENTICATED: 'nobody is signed in, or the session has ended',
  STEP_UP_REQUIRED: 'this needs a fresh sign-in',
  FORBIDDEN: 'no role of the caller allows this',
} as const;

/** Correlation ids by request: the guard, the filter and the records say the same one. */
const CORRELATION_IDS = new WeakMap<object, string>();
export function signInRequestOf(request: HttpRequest): {
  cookie: string | undefined;
  authorization: string | undefined;
  sourceAddress: string;
  correlationId: string;
} {
  const correlationId = CORRELATION_IDS.get(request) ?? randomUUID();
  CORRELATION_IDS.set(request, correlationId);
  return {
    cookie: header(request, 'cookie'),
    authorization: header(request, 'authorization'),
    sourceAddress: request.socket.remoteAddress ?? '',
    correlationId,
  };
}

function header({ headers }: HttpRequest, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
}

function requireSafePost(
  request: HttpRequest,
  route: BoundRoute,
  signedIn: SignedIn | undefined,
): void {
  // Called by the provider, with a token of its own instead of cookie and key.
  if (route.id === 'backChannelLogout') return;
  if (signedIn?.session) {
    const sent = Buffer.from(header(request, CSRF_HEADER) ?? '');
    const wanted = Buffer.from(signedIn.session.record.csrfToken);
    if (sent.length !== wanted.length || !timingSafeEqual(sent, wanted)) {
      throw new AifiError('FORBIDDEN', 'the request does not come from a page of this server');
    }
  }
  if (route.id === 'signOut') return;
  if (!IDEMPOTENCY_KEY.test(header(request, IDEMPOTENCY_HEADER) ?? '')) {
    throw new AifiError(
      'INVALID_ARGUMENT',
      'a POST needs an Idempotency-Key of 8 to 64 characters',
    );
  }
}

function parseInput(contract: RouteContract, request: HttpRequest): RouteInput<RouteContract> {
  const part = (name: 'params' | 'query' | 'body'): unknown => {
    const schema = contract[name];
    if (!schema) return undefined;
    const parsed = schema.safeParse(request[name] ?? {});
    if (parsed.success) return parsed.data;
    // Names of our own fields only: a value could be anything.
    const fields = [...new Set(parsed.error.issues.map(({ path }) => String(path[0] ?? name)))];
    const known = fields.filter((field) => field === name || field in schema.shape);
    const what = known.length > 0 ? known.join(', ') : 'unknown fields';
    throw new AifiError('INVALID_ARGUMENT', `the request does not match: ${what}`);
  };
  const [params, query, body] = [part('params'), part('query'), part('body')];
  // No database of ours keeps a NUL in a text: said here instead of failing there.
  if (JSON.stringify([params, query, body]).includes('\\u0000')) {
    throw new AifiError('INVALID_ARGUMENT', 'the request does not match: text');
  }
  return { params, query, body } as RouteInput<RouteContract>;
}
