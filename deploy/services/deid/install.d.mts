/** Types of install.mjs. */
export declare const DEID_PYTHON: string;
export declare const DEID_SCRIPT: string;
export declare function ensureDeid(): { ok: true } | { ok: false; reason: string };
