/** Types of install.mjs. */
export declare function ensureGdcm(): { ok: true } | { ok: false; reason: string };
