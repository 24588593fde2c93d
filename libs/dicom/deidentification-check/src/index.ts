/** Verification of de-identified files, independent of the engine that made them. */
export {};
