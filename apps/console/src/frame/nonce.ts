/**
 * The nonce of this page's policy, for styles that libraries make at run time.
 * Decides where it comes from: the server writes it into a meta tag, anew for each answer.
 * `__webpack_nonce__` is the name under which the scroll lock of dialogs looks for it.
 * Invariant: imported before anything that makes a style. Source: CSP Level 3 (nonce-source).
 */
export const styleNonce =
  document.querySelector<HTMLMetaElement>('meta[name="csp-nonce"]')?.content ?? '';

Object.assign(globalThis, { __webpack_nonce__: styleNonce });
