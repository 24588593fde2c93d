/**
 * LoginRoutes: the sign-in page, its form, and the file of its style.
 * Decides that a password is needed each time the library asks for a login, that a step-up or a new
 * sign-in within a session is by the same person, and that refusals never say what was wrong.
 * Source: OpenID Connect Core 1.0, 3.1.2.3; OWASP ASVS 5.0 V6.
 */
import type { Middleware, ParameterizedContext } from 'koa';
import { errors, type Interaction, type Provider } from 'oidc-provider';
import { AifiError } from '@aifi/shared-kernel';
import { readForm } from './form-body.js';
import type { LoginTries } from './login-tries.js';
import { PAGE_STYLE, STYLE_PATH } from './page-style.js';
import { formPage, loginPage } from './pages.js';
import type { People } from './people.js';
import { languageOf, TEXTS, type Language } from './texts.js';

export const SIGN_IN_ACR = 'aifi-sign-in';
export const STEP_UP_ACR = 'aifi-step-up';
/** A style that is the same under its name for ever. */
const STYLE_CACHE = 'public, max-age=31536000, immutable';
const ROUTE = /^(\/interaction\/[\w-]{1,64})(\/cancel)?$/;

export const isStepUp = ({ acr_values: asked }: Readonly<Record<string, unknown>>): boolean =>
  typeof asked === 'string' && asked.split(' ').includes(STEP_UP_ACR);

export function contextLanguage(
  context: ParameterizedContext,
  parameters: Readonly<Record<string, unknown>> | undefined,
): Language {
  return languageOf(parameters?.['ui_locales'], context.acceptsLanguages('en', 'nl'));
}

export interface LoginRoutesParts {
  readonly provider: Provider;
  readonly people: People;
  readonly tries: LoginTries;
}

export class LoginRoutes {
  constructor(private readonly parts: LoginRoutesParts) {}

  readonly middleware: Middleware = async (context, next) => {
    if (context.path === STYLE_PATH && context.method === 'GET') {
      context.set('Cache-Control', STYLE_CACHE);
      context.type = 'css';
      context.body = PAGE_STYLE;
      return;
    }
    const [, action, cancel] = ROUTE.exec(context.path) ?? [];
    if (action === undefined) return next();
    try {
      await this.#answer(context, action, cancel !== undefined);
    } catch (error) {
      if (!(error instanceof errors.SessionNotFound) && !(error instanceof AifiError)) throw error;
      const language = contextLanguage(context, undefined);
      const { error: title, expired: words } = TEXTS[language];
      context.status = 400;
      context.type = 'html';
      context.body = formPage({ language, title, words });
    }
  };

  async #answer(context: ParameterizedContext, action: string, isCancel: boolean): Promise<void> {
    const { provider } = this.parts;
    const interaction = await provider.interactionDetails(context.req, context.res);
    if (context.method === 'GET' && !isCancel) {
      const { account } = context.query;
      return this.#show(context, { action, interaction, name: `${account ?? ''}` });
    }
    if (context.method !== 'POST') throw new AifiError('INVALID_ARGUMENT', 'no such page');
    const form = await readForm(context.req);
    if (!isCancel) return this.#submit(context, { action, interaction, form });
    const result = { error: 'access_denied', error_description: 'cancelled' };
    await this.#finish(context, result);
  }

  async #submit(
    context: ParameterizedContext,
    request: { action: string; interaction: Interaction; form: URLSearchParams },
  ): Promise<void> {
    const { action, interaction, form } = request;
    const { people, tries } = this.parts;
    const own = this.#ownName(interaction);
    const name = own ?? form.get('name') ?? '';
    const mayTry = tries.mayTry(name);
    const account = mayTry && people.withPassword(name, form.get('password') ?? '');
    if (!account) {
      if (mayTry) tries.wrong(name);
      context.status = mayTry ? 422 : 429;
      return this.#show(context, { action, interaction, name, isRefused: true });
    }
    tries.right(name);
    const acr = isStepUp(interaction.params) ? STEP_UP_ACR : SIGN_IN_ACR;
    await this.#finish(context, { login: { accountId: account.id, acr, amr: ['pwd'] } });
  }

  async #finish(
    context: ParameterizedContext,
    result: Parameters<Provider['interactionResult']>[2],
  ): Promise<void> {
    const next = await this.parts.provider.interactionResult(context.req, context.res, result, {
      mergeWithLastSubmission: false,
    });
    context.status = 303;
    context.redirect(next);
  }

  /** Within a session only its own person may go on: another one signs out first. */
  #ownName({ session }: Interaction): string | undefined {
    return session?.accountId ? this.parts.people.byId(session.accountId)?.userName : undefined;
  }

  #show(
    context: ParameterizedContext,
    request: { action: string; interaction: Interaction; name: string; isRefused?: boolean },
  ): void {
    const { action, interaction, name, isRefused = false } = request;
    const own = this.#ownName(interaction);
    const hint = interaction.params['login_hint'];
    context.type = 'html';
    context.body = loginPage({
      ...{ action, isRefused, accounts: this.parts.people.all },
      language: contextLanguage(context, interaction.params),
      kind: own === undefined ? 'sign-in' : isStepUp(interaction.params) ? 'step-up' : 'again',
      userName: own ?? (name || (typeof hint === 'string' ? hint.slice(0, 128) : '')),
    });
  }
}
