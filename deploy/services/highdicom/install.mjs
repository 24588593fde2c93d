/**
 * highdicom: a Python reader of segmentations that none of us wrote.
 * Decides its versions only (requirements.txt); `../python.mjs` decides place and way.
 */
import { runAsScript } from '../apt.mjs';
import { pythonEnvironment } from '../python.mjs';

const environment = pythonEnvironment('highdicom', new URL('requirements.txt', import.meta.url));

/** The Python that has highdicom; only after `ensureHighdicom` said ok. */
export const HIGHDICOM_PYTHON = environment.python;

/** @returns {{ ok: true } | { ok: false, reason: string }} */
export const ensureHighdicom = environment.ensure;

runAsScript(import.meta.url, ensureHighdicom);
