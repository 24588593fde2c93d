/** Sign-in with an OpenID provider: sessions, step-up, bearer tokens, revocation. */
export * from './sign-in.js';
export * from './sign-in.config.js';
