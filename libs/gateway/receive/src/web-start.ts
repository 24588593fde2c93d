/**
 * What the listener child is told of the web listener, from the gateway's configuration.
 * Decides that the child gets PEM and digests of credentials, never a path or a credential.
 * Source: security specification 4 (secrets by file); reliability specification H13.
 */
import { readFile } from 'node:fs/promises';
import { AifiError, sha256Hex } from '@aifi/shared-kernel';
import { readTls } from './listener-child.js';
import type { WebStart } from './listener-messages.js';
import type { WebCaller } from './web-caller.js';
import type { WebCallerConfig, WebConfig } from './web.config.js';

/** RFC 6750 2.1; shorter ones could be guessed. */
const TOKEN = /^[\w.~+/-]{32,4000}=*$/;

/** The files as they are now; CONFIG_INVALID when one cannot be read. */
export async function readWeb(web: WebConfig | undefined): Promise<WebStart | undefined> {
  if (!web) return undefined;
  const [tls, ...callers] = await Promise.all([readTls(web.tls), ...web.callers.map(readCaller)]);
  return { port: web.port, tls, callers };
}

async function readCaller(caller: WebCallerConfig): Promise<WebCaller> {
  const { name, host, certificateSha256, bearerTokenFile, plain, lane } = caller;
  const tokenSha256 = bearerTokenFile && (await readToken(bearerTokenFile));
  return { name, host, certificateSha256, tokenSha256, plain, lane };
}

async function readToken(path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new AifiError('CONFIG_INVALID', 'a credential of the web listener cannot be read', {
      cause,
    });
  });
  const token = text.trim();
  if (!TOKEN.test(token)) {
    throw new AifiError('CONFIG_INVALID', 'a credential of the web listener is no bearer token');
  }
  return sha256Hex(token);
}
