/**
 * Keycloak: the OpenID provider that hospitals run, as published by its makers.
 * Decides its version, its digest and what its server is built with, and its place: the user's
 * cache, under a name made of all three. Built once here, so that a start needs no build.
 * Invariants: a distribution with another digest is never unpacked; the folder under its name is
 * complete, because it is made beside and moved.
 * Source: Keycloak 26 server guide, "Configuring Keycloak" (build, start --optimized).
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { ensurePeer, findProgram, runAsScript } from '../apt.mjs';

const VERSION = '26.7.3';
const SHA_256 = '27a6535553c3cdcd083872ba40629efafb3475e3b758e0c6f691395561dd0f1f';
/** Oldest that this Keycloak runs on. */
const JAVA_MAJOR_MIN = 17;
// In memory: every start is a first one. Health tells when a start is done, on the same port.
const HEALTH = ['--health-enabled=true', '--http-management-health-enabled=false'];
const BUILD = ['--db=dev-mem', ...HEALTH];
const COPY = 'org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy';
const CACHE = join(homedir(), '.cache', 'aifi');
const BUILT = createHash('sha256')
  .update(`${SHA_256} ${BUILD.join(' ')}`)
  .digest('hex');
const HOME = join(CACHE, `keycloak-${VERSION}-${BUILT.slice(0, 12)}`);

/** Folder of the built distribution; only after `ensureKeycloak` said ok. */
export const KEYCLOAK_HOME = HOME;

/** True when a start needs no installation first; installs nothing. */
export function hasKeycloak() {
  return existsSync(HOME) && findProgram('java') !== undefined;
}

/** @returns {{ ok: true } | { ok: false, reason: string }} */
export function ensureKeycloak() {
  if (hasKeycloak()) return { ok: true };
  const tools = ensurePeer({
    programs: ['java', 'mvn', 'unzip'],
    packages: ['default-jre-headless', 'maven', 'unzip'],
  });
  if (!tools.ok) return tools;
  if (javaMajor() < JAVA_MAJOR_MIN) {
    return { ok: false, reason: `Keycloak needs Java ${JAVA_MAJOR_MIN} or newer` };
  }
  let making;
  try {
    mkdirSync(CACHE, { recursive: true });
    making = mkdtempSync(`${HOME}-`);
  } catch {
    return { ok: false, reason: 'the cache folder of this user cannot be written' };
  }
  try {
    return make(making);
  } finally {
    rmSync(making, { recursive: true, force: true });
  }
}

function make(folder) {
  const artifact = `org.keycloak:keycloak-quarkus-dist:${VERSION}:zip`;
  const words = ['-B', '-q', COPY, `-Dartifact=${artifact}`, `-DoutputDirectory=${folder}`];
  if (!run('mvn', words)) return { ok: false, reason: 'Maven could not fetch Keycloak' };
  const zip = join(folder, `keycloak-quarkus-dist-${VERSION}.zip`);
  if (createHash('sha256').update(readFileSync(zip)).digest('hex') !== SHA_256) {
    return { ok: false, reason: 'the Keycloak that was fetched has another digest' };
  }
  const unpacked = join(folder, `keycloak-${VERSION}`);
  const isBuilt =
    run('unzip', ['-q', zip, '-d', folder]) &&
    run(join(unpacked, 'bin', 'kc.sh'), ['build', ...BUILD]);
  if (!isBuilt) return { ok: false, reason: 'Keycloak could not be unpacked and built' };
  try {
    renameSync(unpacked, HOME);
  } catch (error) {
    // Another process was first; its content is the same.
    if (!existsSync(HOME)) throw error;
  }
  return { ok: true };
}

function javaMajor() {
  const answer = spawnSync('java', ['-version'], { encoding: 'utf8', timeout: 60_000 });
  return Number(/version "(\d+)/.exec(answer.stderr ?? '')?.[1] ?? 0);
}

/** True when the command ends well; its words go to standard error, output is the caller's. */
function run(command, words) {
  const done = spawnSync(command, words, { stdio: ['ignore', 2, 2], timeout: 600_000 });
  return done.status === 0;
}

runAsScript(import.meta.url, ensureKeycloak);
