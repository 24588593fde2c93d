/** Sign-in with an OpenID provider: sessions, step-up, bearer tokens, revocation. */
export * from './sign-in.js';
export * from './sign-in.config.js';
export { createSignIn } from './create-sign-in.js';
export { CALLBACK_PATH, type ProviderSettings, type SignInOptions } from './sign-in-options.js';
export { cookieNames, type CookieNames } from './cookies.js';
export { FakeSessionStore } from './memory-session-store.js';
