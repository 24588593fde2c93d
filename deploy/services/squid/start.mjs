/**
 * Starting a squid of our own: the proxy of one test hospital.
 * Decides its configuration: loopback only, CONNECT to the ports that are named and nothing else,
 * with or without basic authentication, plain or over TLS, no cache, everything in one folder that
 * its owner removes. The packaged service is never touched.
 * Source: squid 5 (http_port, https_port, auth_param basic, acl); RFC 9110 9.3.6.
 */
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { findProgram } from '../apt.mjs';
import { basicHelper } from './install.mjs';

/**
 * Writes the configuration into `folder` and says how to start the proxy.
 * @param {import('./start.d.mts').SquidOptions} options
 * @returns {{ command: string, arguments: string[], accessLog: string }}
 */
export function prepareSquid(options) {
  const { folder, port, allowedPorts, account, tls } = options;
  mkdirSync(folder, { recursive: true });
  // squid gives up root for a user of its own, which has to read what lies here.
  chmodSync(folder, 0o755);
  const logs = join(folder, 'logs');
  mkdirSync(logs, { recursive: true });
  chmodSync(logs, 0o777);
  const listener = tls
    ? `https_port 127.0.0.1:${port} tls-cert=${tls.certificateFile} tls-key=${tls.keyFile}`
    : `http_port 127.0.0.1:${port}`;
  const configuration = `
${listener}
pid_filename none
cache deny all
cache_mem 4 MB
memory_pools off
workers 1
coredump_dir ${logs}
access_log stdio:${join(logs, 'access.log')}
cache_log ${join(logs, 'cache.log')}
logfile_rotate 0
shutdown_lifetime 0 seconds
forward_timeout 3 seconds
connect_timeout 3 seconds
visible_hostname proxy.test
${account ? authentication(folder, account) : ''}
acl hubs port ${allowedPorts.join(' ')}
acl CONNECT method CONNECT
http_access deny !CONNECT
http_access deny !hubs
http_access allow ${account ? 'known' : 'all'}
http_access deny all
`;
  const file = join(folder, 'squid.conf');
  writeFileSync(file, configuration, { mode: 0o644 });
  const command = findProgram('squid') ?? 'squid';
  // -N: in the foreground, one process; -C: signals are ours.
  return {
    command,
    arguments: ['-N', '-C', '-f', file],
    accessLog: join(logs, 'access.log'),
  };
}

function authentication(folder, { userName, password }) {
  const file = join(folder, 'accounts');
  writeFileSync(file, `${userName}:${entryOf(password)}\n`, { mode: 0o644 });
  const helper = basicHelper() ?? '/usr/lib/squid/basic_ncsa_auth';
  return [
    `auth_param basic program ${helper} ${file}`,
    'auth_param basic children 1 startup=1 idle=1',
    'auth_param basic realm test hospital',
    'acl known proxy_auth REQUIRED',
  ].join('\n');
}

/** basic_ncsa_auth also reads the MD5 of a password in hexadecimal. */
const entryOf = (password) => createHash('md5').update(password).digest('hex');
