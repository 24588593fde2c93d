/** Types of install.mjs. */
export declare const KEYCLOAK_HOME: string;
export declare function hasKeycloak(): boolean;
export declare function ensureKeycloak(): { ok: true } | { ok: false; reason: string };
