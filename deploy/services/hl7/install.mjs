/**
 * python-hl7 and hl7apy: two readers of HL7 v2, and an MLLP sender, that none of us wrote.
 * Decides their versions only (requirements.txt); `../python.mjs` decides place and way.
 */
import { runAsScript } from '../apt.mjs';
import { pythonEnvironment } from '../python.mjs';

const environment = pythonEnvironment('hl7', new URL('requirements.txt', import.meta.url));

/** The Python that has both; only after `ensureHl7` said ok. */
export const HL7_PYTHON = environment.python;

/** @returns {{ ok: true } | { ok: false, reason: string }} */
export const ensureHl7 = environment.ensure;

runAsScript(import.meta.url, ensureHl7);
