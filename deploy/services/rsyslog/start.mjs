/**
 * Starting an rsyslog of our own: the audit repository of one test hospital.
 * Decides its configuration: loopback only, syslog over TLS, each message written before the next
 * is read (no queue in memory, so that a killed receiver loses nothing that it has answered for),
 * everything in one folder that its owner removes. The packaged service is never touched.
 * Source: rsyslog 8 (imtcp, gtls driver, main_queue Direct); RFC 5425; PS3.15 A.6 (message size).
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram } from '../apt.mjs';

/**
 * Writes the configuration into `folder` and says how to start the server.
 * @param {import('./start.d.mts').RsyslogOptions} options
 * @returns {{ command: string, arguments: string[], outputFile: string }}
 */
export function prepareRsyslog(options) {
  const { folder, port, caFile, certificateFile, keyFile, clientCertificates } = options;
  const work = join(folder, 'work');
  mkdirSync(work, { recursive: true, mode: 0o700 });
  const outputFile = join(folder, 'received.log');
  const mode = clientCertificates ? 'x509/certvalid' : 'anon';
  const configuration = `
global(workDirectory="${work}" maxMessageSize="64k" parser.escapeControlCharactersOnReceive="on"
  defaultNetstreamDriver="gtls" defaultNetstreamDriverCAFile="${caFile}"
  defaultNetstreamDriverCertFile="${certificateFile}"
  defaultNetstreamDriverKeyFile="${keyFile}")
main_queue(queue.type="Direct")
module(load="imtcp" streamDriver.name="gtls" streamDriver.mode="1"
  streamDriver.authMode="${mode}" maxSessions="50")
template(name="message" type="string" string="%msgid% %msg%\\n")
input(type="imtcp" address="127.0.0.1" port="${port}")
action(type="omfile" file="${outputFile}" template="message" fileCreateMode="0600")
`;
  const file = join(folder, 'rsyslog.conf');
  writeFileSync(file, configuration, { mode: 0o600 });
  const command = findProgram('rsyslogd') ?? 'rsyslogd';
  // -n: in the foreground; -iNONE: no pid file outside the folder.
  return { command, arguments: ['-n', '-iNONE', '-f', file], outputFile };
}
