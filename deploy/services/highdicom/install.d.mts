/** Types of install.mjs. */
export declare const HIGHDICOM_PYTHON: string;
export declare function ensureHighdicom(): { ok: true } | { ok: false; reason: string };
