/** Types of install.mjs. */
export declare const FHIR_PYTHON: string;
export declare function ensureFhir(): { ok: true } | { ok: false; reason: string };
export declare function hasFhir(): boolean;
