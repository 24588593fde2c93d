/**
 * pydicom: a Python library that none of us wrote, as sites use it to de-identify.
 * Decides its versions only (requirements.txt); `../python.mjs` decides place and way.
 */
import { fileURLToPath } from 'node:url';
import { runAsScript } from '../apt.mjs';
import { pythonEnvironment } from '../python.mjs';

const environment = pythonEnvironment('pydicom', new URL('requirements.txt', import.meta.url));

/** The Python that has pydicom; only after `ensurePydicom` said ok. */
export const PYDICOM_PYTHON = environment.python;
/** De-identifies a folder into another one. */
export const DEIDENTIFY_SCRIPT = fileURLToPath(new URL('deidentify-folder.py', import.meta.url));

/** @returns {{ ok: true } | { ok: false, reason: string }} */
export const ensurePydicom = environment.ensure;

runAsScript(import.meta.url, ensurePydicom);
