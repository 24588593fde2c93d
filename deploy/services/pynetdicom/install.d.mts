/** Types of install.mjs. */
export declare const PYNETDICOM_PYTHON: string;
export declare function ensurePynetdicom(): { ok: true } | { ok: false; reason: string };
