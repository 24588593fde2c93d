/**
 * pynetdicom: DICOM networking in Python that none of us wrote.
 * Decides its versions only (requirements.txt); `../python.mjs` decides place and way.
 */
import { runAsScript } from '../apt.mjs';
import { pythonEnvironment } from '../python.mjs';

const environment = pythonEnvironment('pynetdicom', new URL('requirements.txt', import.meta.url));

/** The Python that has pynetdicom; only after `ensurePynetdicom` said ok. */
export const PYNETDICOM_PYTHON = environment.python;

/** @returns {{ ok: true } | { ok: false, reason: string }} */
export const ensurePynetdicom = environment.ensure;

runAsScript(import.meta.url, ensurePynetdicom);
