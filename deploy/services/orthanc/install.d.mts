/** Types of install.mjs. */
export declare function ensureOrthanc(): { ok: true } | { ok: false; reason: string };
