/** Types of install.mjs. */
export declare function ensureDcmtk(): { ok: true } | { ok: false; reason: string };
