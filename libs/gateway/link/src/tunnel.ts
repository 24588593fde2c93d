/**
 * Tunnel: a TCP connection to the hub, straight or through an HTTP proxy.
 * Decides the ways out of a hospital that are supported: none, CONNECT without and with basic
 * authentication, and a proxy that is reached over TLS itself.
 * Invariants: the proxy sees host and port of the hub and nothing else; an answer is bounded in
 * size and time; credentials are sent only to the proxy of the configuration.
 * Source: RFC 9110 9.3.6 (CONNECT); RFC 7617 (Basic); RFC 9112 (message syntax).
 */
import { readFileSync } from 'node:fs';
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { AifiError } from '@aifi/shared-kernel';
import { linkFault } from './link-fault.js';
import { readSecretFile } from './secret-file.js';
import {
  targetOf,
  type LinkSettings,
  type LinkTarget,
  type ProxySettings,
} from './link-settings.js';

/** From the first packet to a socket that the hub can be spoken to on. @unit ms */
export const TUNNEL_TIMEOUT_MS = 10_000;
/** Head of a proxy's answer. @unit bytes */
const ANSWER_BYTES_MAX = 16 * 1024;
/** TCP's own look whether the other end lives. @unit ms */
const KEEP_ALIVE_MS = 20_000;

/** A socket whose other end is the hub's port. Throws a link fault. */
export async function openTunnel(settings: LinkSettings, signal: AbortSignal): Promise<Socket> {
  const target = targetOf(settings);
  const { proxy } = settings;
  if (!proxy) {
    const direct = connectTcp({ host: target.host, port: target.port });
    return established(direct, 'connect', { signal, fault: () => linkFault('PEER_UNAVAILABLE') });
  }
  const socket = await reachProxy(proxy, signal);
  try {
    await askThrough(socket, { target, proxy, signal });
  } catch (error) {
    socket.destroy();
    throw error;
  }
  return socket;
}

function reachProxy(proxy: ProxySettings, signal: AbortSignal): Promise<Socket> {
  const url = new URL(proxy.url);
  const isTls = url.protocol === 'https:';
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const port = Number(url.port || (isTls ? 443 : 80));
  const setting = 'hub.proxy.url';
  const failed = (): AifiError => linkFault('LINK_PROXY_FAILED', { setting });
  if (!isTls) return established(connectTcp({ host, port }), 'connect', { signal, fault: failed });
  const socket = connectTls({
    ...{ host, port, minVersion: 'TLSv1.2' },
    ...(isIP(host) === 0 && { servername: host }),
    ...(proxy.caFile !== undefined && { ca: readSetting(proxy.caFile) }),
  });
  const fault = (error: unknown): AifiError =>
    isCertificateFault(error)
      ? linkFault('LINK_PROXY_UNTRUSTED', { setting: 'hub.proxy.caFile' }, error)
      : failed();
  return established(socket, 'secureConnect', { signal, fault });
}

/** OpenSSL's verification results and Node's own check of the name. */
const isCertificateFault = (error: unknown): boolean =>
  /CERT|ISSUER|ALTNAME|SELF_SIGNED|VERIFY/.test((error as NodeJS.ErrnoException).code ?? '');

interface Establishing {
  readonly signal: AbortSignal;
  readonly fault: (error: unknown) => AifiError;
}
function established(
  socket: Socket,
  event: 'connect' | 'secureConnect',
  { signal, fault }: Establishing,
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const failed = (error: unknown): void => {
      signal.removeEventListener('abort', failed);
      socket.destroy();
      reject(fault(error));
    };
    if (signal.aborted) return failed(undefined);
    signal.addEventListener('abort', failed, { once: true });
    socket.once('error', failed);
    socket.once('close', failed);
    socket.once(event, () => {
      signal.removeEventListener('abort', failed);
      socket.off('error', failed).off('close', failed);
      // Between two owners an error must not end the process; the next owner sees the close.
      socket.on('error', () => undefined);
      socket.setNoDelay(true).setKeepAlive(true, KEEP_ALIVE_MS);
      resolve(socket);
    });
  });
}

interface Asking {
  readonly target: LinkTarget;
  readonly proxy: ProxySettings;
  readonly signal: AbortSignal;
}
async function askThrough(socket: Socket, { target, proxy, signal }: Asking): Promise<void> {
  const authority = `${target.host}:${target.port}`;
  const credentials = basicCredentials(proxy);
  const head = [
    `CONNECT ${authority} HTTP/1.1`,
    `Host: ${authority}`,
    ...(credentials === undefined ? [] : [`Proxy-Authorization: Basic ${credentials}`]),
  ];
  socket.write(`${head.join('\r\n')}\r\n\r\n`);
  const answer = await readHead(socket, signal);
  const status = Number(/^HTTP\/1\.[01] (\d{3})(?: |$)/.exec(answer.split('\r\n')[0] ?? '')?.[1]);
  if (status >= 200 && status < 300) return;
  throw refusalOf(Number.isNaN(status) ? null : status);
}

function refusalOf(status: number | null): AifiError {
  if (status === 407) {
    return linkFault('LINK_PROXY_AUTHENTICATION', { status, setting: 'hub.proxy.userName' });
  }
  // Not HTTP at all, or the proxy is well and what lies behind it is not.
  if (status === null || status >= 500) {
    return linkFault('LINK_PROXY_FAILED', { status, setting: 'hub.proxy.url' });
  }
  return linkFault('LINK_PROXY_REFUSED', { status, setting: null });
}

/** Up to the empty line; what came after it is put back. */
function readHead(socket: Socket, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    let bytes = Buffer.alloc(0);
    const end = (settle: () => void): void => {
      signal.removeEventListener('abort', failed);
      socket.off('data', onData).off('close', failed).pause();
      settle();
    };
    const failed = (): void =>
      end(() => reject(linkFault('LINK_PROXY_FAILED', { setting: 'hub.proxy.url' })));
    const onData = (chunk: Buffer): void => {
      bytes = Buffer.concat([bytes, chunk]);
      const at = bytes.indexOf('\r\n\r\n');
      if (at < 0 && bytes.length <= ANSWER_BYTES_MAX) return;
      if (at < 0) return failed();
      const rest = bytes.subarray(at + 4);
      end(() => {
        if (rest.length > 0) socket.unshift(rest);
        resolve(bytes.toString('latin1', 0, at));
      });
    };
    if (signal.aborted) return failed();
    signal.addEventListener('abort', failed, { once: true });
    socket.on('data', onData).once('close', failed);
  });
}

function basicCredentials({ userName, passwordFile }: ProxySettings): string | undefined {
  if (userName === undefined || passwordFile === undefined) return undefined;
  const file = readSecretFile(passwordFile, 'hub.proxy.passwordFile');
  const [password = ''] = file.toString('utf8').split(/\r?\n/);
  return Buffer.from(`${userName}:${password}`, 'utf8').toString('base64');
}

function readSetting(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new AifiError('CONFIG_INVALID', 'a file of hub.proxy does not read', { cause: error });
  }
}
