/**
 * squid: an HTTP proxy that none of us wrote, as the way out of a test hospital.
 * Decides the Debian package: the one built with OpenSSL, which also listens with TLS.
 * Run as a script, it installs what is missing and exits 1 when this machine cannot have it.
 */
import { existsSync } from 'node:fs';
import { ensurePeer, runAsScript } from '../apt.mjs';

/** The helper of basic authentication that checks a file of names and passwords. */
const BASIC_HELPERS = ['/usr/lib/squid/basic_ncsa_auth', '/usr/lib64/squid/basic_ncsa_auth'];

/** @returns {{ ok: true } | { ok: false, reason: string }} */
export function ensureSquid() {
  return ensurePeer({ programs: ['squid'], packages: ['squid-openssl'] });
}

/** Where the helper lies; undefined when the package has none. */
export function basicHelper() {
  return BASIC_HELPERS.find((path) => existsSync(path));
}

runAsScript(import.meta.url, ensureSquid);
