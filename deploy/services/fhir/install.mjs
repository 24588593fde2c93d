/**
 * fhir.resources: a Python model of FHIR that none of us wrote, as the reader of our audit events.
 * Decides its versions (requirements.txt). R4B stands for R4: AuditEvent is the same in both.
 * Run as a script, it installs what is missing and exits 1 when this machine cannot have it.
 */
import { existsSync } from 'node:fs';
import { runAsScript } from '../apt.mjs';
import { pythonEnvironment } from '../python.mjs';

const environment = pythonEnvironment('fhir', new URL('requirements.txt', import.meta.url));

/** The Python that has fhir.resources; only after `ensureFhir` said ok. */
export const FHIR_PYTHON = environment.python;
/** @returns {{ ok: true } | { ok: false, reason: string }} */
export const ensureFhir = environment.ensure;
export const hasFhir = () => existsSync(FHIR_PYTHON);

runAsScript(import.meta.url, ensureFhir);
