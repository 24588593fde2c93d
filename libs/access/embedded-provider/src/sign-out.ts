/**
 * SignOut: how a session at the provider ends when our page asks for it.
 * Decides that an ID token of the same person ends it at once, and that somebody without one
 * confirms. Ending takes all grants of the session and tells each client (back-channel).
 * Invariant: another site cannot sign a person out without that person's click.
 * Source: OpenID Connect RP-Initiated Logout 1.0, 2 and 6; Back-Channel Logout 1.0.
 */
import type { Middleware } from 'koa';
import type { KoaContextWithOIDC, Session } from './library.js';
import { contextLanguage } from './login-routes.js';
import { formPage } from './pages.js';
import type { ProviderStore } from './provider-store.js';
import { TEXTS } from './texts.js';

const PATH = '/session/end';

/** What of the library's client model is used and not in its published types. */
interface NotifiedClient {
  readonly backchannelLogoutUri?: string;
  backchannelLogout(accountId: string, sessionId: string | undefined): Promise<void>;
}

export class SignOut {
  constructor(private readonly store: ProviderStore) {}

  /** Nobody is signed in: the library would answer with a script that goes back by itself. */
  readonly middleware: Middleware = async (context, next) => {
    await next();
    const { oidc } = context as unknown as Partial<KoaContextWithOIDC>;
    if (context.path !== PATH || context.status !== 200 || !oidc) return;
    if (oidc.session?.accountId === undefined) this.#leave(context as never);
  };

  /** The page between: only for somebody who cannot prove to be asked by our page. */
  readonly logoutSource = async (context: KoaContextWithOIDC): Promise<void> => {
    const { session, entities } = context.oidc;
    const hinted = entities.IdTokenHint?.payload['sub'];
    if (session?.accountId !== undefined && hinted === session.accountId) {
      await this.#end(context, session);
      return this.#leave(context);
    }
    const language = contextLanguage(context, context.oidc.params);
    const texts = TEXTS[language];
    const { secret = '' } = (session?.['state'] ?? {}) as { readonly secret?: string };
    context.body = formPage({
      ...{ language, title: texts.signOut, words: texts.signOutHelp },
      form: {
        action: context.oidc.urlFor('end_session_confirm'),
        hidden: { xsrf: secret },
        buttons: [
          { label: texts.signOut, name: 'logout' },
          { label: texts.stay, isQuiet: true },
        ],
      },
    });
  };

  readonly postLogoutSuccessSource = (context: KoaContextWithOIDC): void => {
    const language = contextLanguage(context, undefined);
    const { signedOut: title, signedOutHelp: words } = TEXTS[language];
    context.body = formPage({ language, title, words });
  };

  async #end(context: KoaContextWithOIDC, session: Session): Promise<void> {
    const { provider } = context.oidc;
    for (const [clientId, entry] of Object.entries(session.authorizations ?? {})) {
      const client = (await provider.Client.find(clientId)) as unknown as NotifiedClient;
      if (client?.backchannelLogoutUri !== undefined) {
        // A page that is away sees it at its next check of the session.
        await client.backchannelLogout(session.accountId ?? '', entry.sid).catch(() => undefined);
      }
      const { grantId, persistsLogout } = entry;
      if (grantId !== undefined && !persistsLogout) this.store.endGrant(grantId);
    }
    await session.destroy();
    const name = provider.cookieName('session');
    context.oidc.cookies.set(name, null, { httpOnly: true, sameSite: 'lax', secure: true });
  }

  /** Both were checked against the client by the library. */
  #leave(context: KoaContextWithOIDC): void {
    const { params } = context.oidc;
    const target = params?.['post_logout_redirect_uri'];
    const url = new URL(
      typeof target === 'string' ? target : context.oidc.urlFor('end_session_success'),
    );
    if (typeof target === 'string' && typeof params?.['state'] === 'string') {
      url.searchParams.set('state', params['state']);
    }
    context.body = null;
    context.status = 303;
    context.redirect(url.href);
  }
}
