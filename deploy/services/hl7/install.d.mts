/** Types of install.mjs. */
export declare const HL7_PYTHON: string;
export declare function ensureHl7(): { ok: true } | { ok: false; reason: string };
