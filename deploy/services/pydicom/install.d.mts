/** Types of install.mjs. */
export declare const PYDICOM_PYTHON: string;
export declare const DEIDENTIFY_SCRIPT: string;
export declare function ensurePydicom(): { ok: true } | { ok: false; reason: string };
