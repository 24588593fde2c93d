/**
 * deid and dicom-anonymizer: de-identifiers in Python that none of us wrote.
 * Decides their versions only (requirements.txt); `../python.mjs` decides place and way.
 */
import { fileURLToPath } from 'node:url';
import { runAsScript } from '../apt.mjs';
import { pythonEnvironment } from '../python.mjs';

const environment = pythonEnvironment('deid', new URL('requirements.txt', import.meta.url));

/** The Python that has them; only after `ensureDeid` said ok. */
export const DEID_PYTHON = environment.python;
/** Arguments: deid or dicom-anonymizer, file in, file out. */
export const DEID_SCRIPT = fileURLToPath(new URL('deidentify-file.py', import.meta.url));

/** @returns {{ ok: true } | { ok: false, reason: string }} */
export const ensureDeid = environment.ensure;

runAsScript(import.meta.url, ensureDeid);
