/** Types of install.mjs. */
export declare function ensureRsyslog(): { ok: true } | { ok: false; reason: string };
export declare function hasTls(): boolean;
