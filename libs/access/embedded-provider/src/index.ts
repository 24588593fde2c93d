/** The embedded OpenID provider with visible demo accounts, for demonstration only. */
export * from './demo-account.js';
export * from './embedded-provider.js';
export * from './embedded-provider-options.js';
