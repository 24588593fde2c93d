/** Types of install.mjs. */
export declare function ensureTshark(): { ok: true } | { ok: false; reason: string };
