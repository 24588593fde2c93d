/**
 * The session's routes: who is signed in, sign-in, step-up, sign-out, logout by the provider.
 * Decides nothing: SignIn does. Invariant: a redirect goes to the provider or to a local path.
 */
import { Controller, Inject, Req, Res } from '@nestjs/common';
import { actsOf, SIGN_IN_ROUTE_ACTS, STEP_UP_MS_MAX } from '@aifi/access-authorisation';
import type { SignInAnswer } from '@aifi/access-sign-in';
import {
  accessRoutes,
  signInRoutes,
  type RouteInput,
  type SessionView,
} from '@aifi/contracts-rest';
import { AifiError } from '@aifi/shared-kernel';
import { signInRequestOf } from './access.guard.js';
import type { HttpRequest, HttpResponse } from './http-request.js';
import { By, Input, routesOf } from './route-decorator.js';
import { SHARED_ROUTE_ACTS } from './shared-route-acts.js';
import type { CallerOfRequest } from './request-caller.js';
import { WEB_ACCESS, type WebAccessOptions } from './web-access-options.js';

const Shared = routesOf(accessRoutes, SHARED_ROUTE_ACTS);
const Auth = routesOf(signInRoutes, SIGN_IN_ROUTE_ACTS);

@Controller()
export class SessionController {
  constructor(@Inject(WEB_ACCESS) private readonly options: WebAccessOptions) {}

  @Shared('session')
  session(@Req() request: HttpRequest, @By() caller: CallerOfRequest): SessionView {
    return sessionView(this.options, request, caller);
  }

  @Auth('signIn')
  async signIn(
    @Input() { query }: RouteInput<typeof signInRoutes.signIn>,
    @Req() request: HttpRequest,
    @Res() response: HttpResponse,
  ): Promise<void> {
    const { signIn } = this.options;
    redirect(response, await signIn.begin('sign-in', query.returnTo, signInRequestOf(request)));
  }

  @Auth('stepUp')
  async stepUp(
    @Input() { query }: RouteInput<typeof signInRoutes.stepUp>,
    @Req() request: HttpRequest,
    @Res() response: HttpResponse,
  ): Promise<void> {
    const { signIn } = this.options;
    redirect(response, await signIn.begin('step-up', query.returnTo, signInRequestOf(request)));
  }

  @Auth('callback')
  async callback(@Req() request: HttpRequest, @Res() response: HttpResponse): Promise<void> {
    const address = new URL(request.originalUrl, this.options.publicUrl);
    try {
      redirect(response, await this.options.signIn.complete(address, signInRequestOf(request)));
    } catch (error) {
      // A person who cancelled, or came back too late, sees a page with a way on.
      const isPage = request.headers['sec-fetch-mode'] === 'navigate';
      if (!isPage || AifiError.from(error).code !== 'UNAUTHENTICATED') throw error;
      response.redirect(303, '/?signIn=failed');
    }
  }

  @Auth('signOut')
  async signOut(@Req() request: HttpRequest, @Res() response: HttpResponse): Promise<void> {
    const answer = await this.options.signIn.end(signInRequestOf(request));
    response.set('Set-Cookie', [...answer.setCookies]).set('Content-Type', 'application/json');
    response.status(200).send(JSON.stringify({ next: answer.location }));
  }

  @Auth('backChannelLogout')
  async backChannelLogout(
    @Req() request: HttpRequest,
    @Res() response: HttpResponse,
  ): Promise<void> {
    const token = (request.body as { logout_token?: unknown } | undefined)?.logout_token;
    if (typeof token !== 'string') throw new AifiError('INVALID_ARGUMENT', 'no logout token');
    await this.options.signIn.backChannelLogout(token, signInRequestOf(request));
    response.status(200).send('');
  }
}

function redirect(response: HttpResponse, { location, setCookies }: SignInAnswer): void {
  response.set('Set-Cookie', [...setCookies]).redirect(303, location);
}

function sessionView(
  { routeActs, purpose, server }: WebAccessOptions,
  request: HttpRequest,
  { principal, userId, userName }: CallerOfRequest,
): SessionView {
  const session = request.aifi?.signedIn?.session;
  const roles = 'roles' in principal ? [...principal.roles] : [];
  const siteIds = 'siteIds' in principal ? [...principal.siteIds] : [];
  const steppedUpAtMs = 'steppedUpAtMs' in principal ? principal.steppedUpAtMs : null;
  return {
    user: { id: userId, name: userName },
    ...{ roles, siteIds, purpose, server },
    acts: actsOf(principal, [...new Set(Object.values(routeActs))]),
    steppedUpUntilMs: steppedUpAtMs === null ? null : steppedUpAtMs + STEP_UP_MS_MAX,
    expiresAtMs: session?.expiresAtMs ?? 0,
    csrfToken: session?.record.csrfToken ?? '',
  };
}
