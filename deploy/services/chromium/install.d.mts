/** Types of install.mjs. */
export declare function chromiumPath(): string | undefined;
export declare function ensureChromium(): { ok: true } | { ok: false; reason: string };
