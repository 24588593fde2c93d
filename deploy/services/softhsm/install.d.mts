/** Types of install.mjs. */
export declare function ensureSofthsm(): { ok: true } | { ok: false; reason: string };
