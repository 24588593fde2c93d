/** Types of one-time-code.mjs. */
export declare const PERIOD_MS: number;
export declare function oneTimeCode(secret: string, atMs: number): string;
