/** embedded-provider. */
export {};
