/** Types of install.mjs. */
export declare function findFaketime(): string | undefined;
export declare function ensureFaketime(): { ok: true } | { ok: false; reason: string };
