/** Types of install.mjs. */
export declare function ensureDicom3tools(): { ok: true } | { ok: false; reason: string };
