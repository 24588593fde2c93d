/**
 * rsyslog: a syslog server that none of us wrote, as the audit repository of a test hospital.
 * Decides the Debian packages (with TLS) and the program by which it is recognised; xmllint comes
 * with it, to read what was received.
 * Run as a script, it installs what is missing and exits 1 when this machine cannot have it.
 */
import { existsSync, readdirSync } from 'node:fs';
import { ensurePeer, installPackages, runAsScript } from '../apt.mjs';

/** @returns {{ ok: true } | { ok: false, reason: string }} */
export function ensureRsyslog() {
  const packages = ['rsyslog', 'rsyslog-gnutls', 'libxml2-utils'];
  const programs = ensurePeer({ programs: ['rsyslogd', 'xmllint'], packages });
  return programs.ok && !hasTls() ? installPackages(packages) : programs;
}

/** The TLS driver is a package of its own: a module, no program. */
export function hasTls() {
  if (!existsSync('/usr/lib')) return false;
  return readdirSync('/usr/lib', { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .some(({ name }) => existsSync(`/usr/lib/${name}/rsyslog/lmnsd_gtls.so`));
}

runAsScript(import.meta.url, ensureRsyslog);
