/**
 * Pages of the device authorization grant: enter a code, compare it, done.
 * Decides that a code in the address is filled in and still sent by a person, because the page runs
 * no script. Invariant: the person sees the code before anything is connected.
 * Source: RFC 8628 3.3 and 5.4 (remote phishing).
 */
import type { Middleware } from 'koa';
import type { DeviceFlowPages, KoaContextWithOIDC } from './library.js';
import { formPage } from './pages.js';
import { contextLanguage } from './login-routes.js';
import { TEXTS } from './texts.js';

const PATH = '/device';
const CODE = /^[\w-]{1,32}$/;

/** The library would answer a code in the address with a script that sends it. */
export const prefillCode: Middleware = async (context, next) => {
  const code = context.query['user_code'];
  if (context.path === PATH && context.method === 'GET' && typeof code === 'string') {
    context.state['userCode'] = CODE.test(code) ? code : '';
    context.query = {};
  }
  await next();
};

/** Proof for the library that its own page sent the form. */
function proofOf({ oidc }: KoaContextWithOIDC): string {
  const { secret } = (oidc.session?.['state'] ?? {}) as { readonly secret?: string };
  return secret ?? '';
}

function codePage(context: KoaContextWithOIDC, error: unknown): void {
  const language = contextLanguage(context, undefined);
  const texts = TEXTS[language];
  const isAborted = (error as Error | undefined)?.name === 'AbortedError';
  context.body = formPage({
    ...{ language, title: texts.code, words: texts.codeHelp },
    alert: isAborted ? texts.codeStopped : error ? texts.codeWrong : undefined,
    form: {
      action: context.oidc.urlFor('code_verification'),
      hidden: { xsrf: proofOf(context) },
      field: {
        ...{ name: 'user_code', label: texts.codeField },
        value: `${context.state['userCode'] ?? ''}`,
      },
      buttons: [{ label: texts.continue }],
    },
  });
}

function comparePage(
  ...[context, , , , userCode]: Parameters<NonNullable<DeviceFlowPages['userCodeConfirmSource']>>
): void {
  const language = contextLanguage(context, undefined);
  const texts = TEXTS[language];
  context.body = formPage({
    ...{ language, title: texts.confirmCode, words: texts.confirmCodeHelp, code: userCode },
    form: {
      action: context.oidc.urlFor('code_verification'),
      hidden: { xsrf: proofOf(context), user_code: userCode, confirm: 'yes' },
      buttons: [{ label: texts.continue }, { label: texts.cancel, name: 'abort', isQuiet: true }],
    },
  });
}

export const devicePages: DeviceFlowPages = {
  userCodeInputSource: (context, _form, _out, error) => codePage(context, error),
  userCodeConfirmSource: comparePage,
  successSource: (context) => {
    const language = contextLanguage(context, undefined);
    const { connected: title, connectedHelp: words } = TEXTS[language];
    context.body = formPage({ language, title, words });
  },
};
