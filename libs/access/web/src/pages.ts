/**
 * The built pages: one index with a nonce per answer, assets by their hashed names.
 * Decides that only files that existed at the start are served, from memory by name: an address is
 * never joined to a path. Invariant: a page holds no data, so it needs no sign-in.
 * Source: security specification 7 (V3, V5).
 */
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { extname, join, relative } from 'node:path';
import type { HttpRequest, HttpResponse } from './http-request.js';
import { pagePolicy } from './security-headers.js';

const TYPES: Readonly<Record<string, string>> = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
  '.png': 'image/png',
};
/** Addresses that are not pages: they belong to the interfaces. */
const INTERFACES = /^\/(api|auth|\.well-known)\/|^\/(healthz|metrics)$/;

interface Asset {
  readonly type: string;
  readonly bytes: Buffer;
}

/** Serves the pages below `folder`; undefined or absent: no pages, everything goes on. */
export function pagesMiddleware(folder: string | undefined) {
  const indexFile = folder && join(folder, 'index.html');
  const index = indexFile && existsSync(indexFile) ? readFileSync(indexFile, 'utf8') : undefined;
  const assets = index === undefined ? new Map<string, Asset>() : readAssets(folder!);
  return (request: HttpRequest, response: HttpResponse, next: () => void): void => {
    const path = request.originalUrl.split('?', 1)[0]!;
    const isRead = request.method === 'GET' || request.method === 'HEAD';
    if (!isRead || index === undefined || INTERFACES.test(path)) return next();
    const asset = assets.get(path);
    if (asset) {
      response.set('Cache-Control', 'public, max-age=31536000, immutable');
      response.status(200).set('Content-Type', asset.type).send(asset.bytes);
      return;
    }
    if (path.startsWith('/assets/')) return next();
    sendIndex(index, response);
  };
}

function sendIndex(index: string, response: HttpResponse): void {
  const nonce = randomBytes(16).toString('base64url');
  response.set('Content-Security-Policy', pagePolicy(nonce));
  response.status(200).set('Content-Type', 'text/html; charset=utf-8');
  response.send(index.replaceAll('__CSP_NONCE__', nonce));
}

function readAssets(folder: string): Map<string, Asset> {
  const names = readdirSync(folder, { recursive: true, withFileTypes: true });
  const files = names.filter((entry) => entry.isFile() && entry.name !== 'index.html');
  return new Map(
    files.flatMap((entry) => {
      const path = join(entry.parentPath, entry.name);
      const type = TYPES[extname(entry.name)];
      const address = `/${relative(folder, path).replaceAll('\\', '/')}`;
      return type === undefined ? [] : [[address, { type, bytes: readFileSync(path) }] as const];
    }),
  );
}
