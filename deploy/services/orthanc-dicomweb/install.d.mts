/** Types of install.mjs. */
export declare const ORTHANC_DICOMWEB_PLUGIN: string;
export declare function ensureOrthancDicomweb(): { ok: true } | { ok: false; reason: string };
