/**
 * Widened: the shape of a dictionary without its words.
 * Decides that a second language has the same keys and the same parameters; anything missing or
 * extra does not compile.
 */
export type Widened<T> = T extends string
  ? string
  : T extends (...parameters: infer P) => string
    ? (...parameters: P) => string
    : { readonly [K in keyof T]: Widened<T[K]> };
