/** Types of install.mjs. */
export declare function ensureSquid(): { ok: true } | { ok: false; reason: string };
export declare function basicHelper(): string | undefined;
