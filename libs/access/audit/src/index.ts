/** audit. */
export {};
