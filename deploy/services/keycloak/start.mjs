/**
 * Starting a Keycloak of our own with the realm of this repository.
 * Decides its configuration: loopback only, database in memory, realm and test accounts imported
 * at the start, everything that it writes in one folder that its owner removes.
 * Invariants: the installed distribution is only read; placeholders of the realm are filled by
 * Keycloak itself from its environment, as in production.
 * Source: Keycloak 26 server guide (hostname v2, importing a realm, health endpoints).
 */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findProgram } from '../apt.mjs';
import { KEYCLOAK_HOME } from './install.mjs';

const REALMS = new URL('../../keycloak/', import.meta.url);
/** deploy/keycloak: the realm, and accounts for tests only. */
export const REALM_FILE = fileURLToPath(new URL('aifi-realm.json', REALMS));
export const TEST_USERS_FILE = fileURLToPath(new URL('test-users.json', REALMS));
/** Secret of the one-time codes of every test account, as bytes (not base32). */
export const TEST_OTP_SECRET = 'aifi-test-otp-secret';
export const testPassword = (userName) => `test-account-${userName}`;

// What kc.sh would add, and a compiler that does not outlive a short test (C1 only).
const JVM = [
  ...['-Xms64m', '-Xmx512m', '-XX:MaxMetaspaceSize=256m', '-XX:+UseSerialGC'],
  ...['-XX:TieredStopAtLevel=1', '-XX:+ExitOnOutOfMemoryError', '-Dfile.encoding=UTF-8'],
  ...['java.util', 'java.util.concurrent', 'java.security', 'java.lang'].map(
    (name) => `--add-opens=java.base/${name}=ALL-UNNAMED`,
  ),
  ...['-Duser.language=en', '-Duser.country=US', '-Dpicocli.disable.closures=true'],
  '-Djava.util.logging.manager=org.jboss.logmanager.LogManager',
  '-Djava.util.concurrent.ForkJoinPool.common.threadFactory=' +
    'io.quarkus.bootstrap.forkjoin.QuarkusForkJoinWorkerThreadFactory',
];

/**
 * Prepares `folder` and says how to start the server; `healthUrl` answers 200 when it is up.
 * @param {import('./start.d.mts').KeycloakOptions} options
 * @returns {import('./start.d.mts').PreparedKeycloak}
 */
export function prepareKeycloak(options) {
  const { folder, httpPort, realmFile = REALM_FILE, usersFile } = options;
  const imports = join(folder, 'data', 'import');
  mkdirSync(imports, { recursive: true, mode: 0o700 });
  for (const name of ['lib', 'providers', 'themes', 'conf']) {
    symlinkSync(join(KEYCLOAK_HOME, name), join(folder, name));
  }
  const realm = JSON.parse(readFileSync(realmFile, 'utf8'));
  const users = usersFile ? JSON.parse(readFileSync(usersFile, 'utf8')).users : [];
  const text = JSON.stringify({ ...realm, users });
  writeFileSync(join(imports, `${realm.realm}-realm.json`), text, { mode: 0o600 });
  const backUrl = `http://127.0.0.1:${httpPort}`;
  const adminPassword = randomBytes(24).toString('base64url');
  return {
    command: findProgram('java') ?? 'java',
    arguments: [
      ...JVM,
      `-Dkc.home.dir=${folder}`,
      `-Djboss.server.config.dir=${join(folder, 'conf')}`,
      ...['-cp', join(KEYCLOAK_HOME, 'lib', 'quarkus-run.jar')],
      'io.quarkus.bootstrap.runner.QuarkusEntryPoint',
      ...['start', '--optimized', '--import-realm', ...serverWords(options)],
    ],
    environment: {
      KC_BOOTSTRAP_ADMIN_USERNAME: 'admin',
      KC_BOOTSTRAP_ADMIN_PASSWORD: adminPassword,
      AIFI_PAGES_URL: options.pages.url,
      AIFI_PAGES_BACK_CHANNEL_URL: options.pages.backChannelUrl ?? options.pages.url,
      AIFI_PAGES_SECRET: options.pages.secret,
      AIFI_AUDIENCE: options.audience,
      AIFI_AUTOMATION_SECRET: options.automationSecret ?? randomBytes(24).toString('base64url'),
      AIFI_TEST_SITE: options.testSite ?? 'none',
    },
    issuer: `${options.publicUrl}/realms/${realm.realm}`,
    discoveryUrl: `${backUrl}/realms/${realm.realm}/.well-known/openid-configuration`,
    healthUrl: `${backUrl}/health/ready`,
    admin: {
      url: `${backUrl}/admin/realms/${realm.realm}`,
      tokenUrl: tokenUrl(backUrl),
      adminPassword,
    },
  };
}

const tokenUrl = (backUrl) => `${backUrl}/realms/master/protocol/openid-connect/token`;

function serverWords({ httpPort, publicUrl, https, trustedFile }) {
  return [
    // One server: no cluster, whose ports would be open on every interface.
    '--cache=local',
    ...['--http-enabled=true', '--http-host=127.0.0.1', `--http-port=${httpPort}`],
    `--hostname=${publicUrl}`,
    '--hostname-backchannel-dynamic=true',
    ...(trustedFile ? [`--truststore-paths=${trustedFile}`] : []),
    ...(https
      ? [
          `--https-port=${https.port}`,
          `--https-certificate-file=${https.certificateFile}`,
          `--https-certificate-key-file=${https.keyFile}`,
        ]
      : []),
  ];
}

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/** `node start.mjs [URL of the pages]`: runs one with the test accounts until Ctrl-C. */
async function main() {
  const folder = mkdtempSync(join(tmpdir(), 'aifi-keycloak-'));
  const httpPort = await freePort();
  const secret = randomBytes(24).toString('base64url');
  const prepared = prepareKeycloak({
    folder,
    httpPort,
    publicUrl: `http://localhost:${httpPort}`,
    usersFile: TEST_USERS_FILE,
    pages: { url: process.argv[2] ?? 'http://localhost:8080', secret },
    audience: 'aifi',
    testSite: 'site-a',
  });
  const server = spawn(prepared.command, prepared.arguments, {
    stdio: 'inherit',
    env: { ...process.env, ...prepared.environment },
  });
  console.log(`issuer ${prepared.issuer}, client aifi-pages, secret ${secret}`);
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => server.kill('SIGTERM'));
  server.on('exit', (code) => {
    rmSync(folder, { recursive: true, force: true });
    process.exitCode = code ?? 1;
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
