/**
 * Serves the built pages with the real policy and made-up answers, to look at them.
 * `node tools/dev-server.mjs hub 4173 operator` (or gateway 4174 it). Never part of a release.
 * Decides nothing about rights: who signs in is the third word, and `fresh` as the fourth means
 * that the person has just authenticated anew.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join } from 'node:path';
import { deflateSync } from 'node:zlib';
import { GATEWAY_ACTS, gatewayAnswers, gatewayApprovals } from './fake-gateway.mjs';
import { HUB_ACTS, hubAnswers, hubApprovals } from './fake-hub.mjs';
import { sessionOf } from './fake-values.mjs';

const TYPES = { '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' };
const policy = (nonce) =>
  "default-src 'none'; script-src 'self'; " +
  `style-src 'self' 'nonce-${nonce}'; connect-src 'self'; img-src 'self' data:; ` +
  "frame-ancestors 'none'; base-uri 'none'; form-action 'self'";

/** A grey picture with a lighter disc, as PNG: what a preview looks like. */
function preview() {
  const side = 256;
  const rows = Buffer.alloc(side * (side + 1));
  for (let y = 0; y < side; y += 1) {
    for (let x = 0; x < side; x += 1) {
      const radius = Math.hypot(x - 128, y - 128);
      rows[y * (side + 1) + 1 + x] = radius < 90 ? 200 - radius : 20;
    }
  }
  const table = Array.from({ length: 256 }, (_, index) => {
    let value = index;
    for (let bit = 0; bit < 8; bit += 1) value = (value >>> 1) ^ (value & 1 ? 0xedb88320 : 0);
    return value >>> 0;
  });
  const crc = (bytes) =>
    (bytes.reduce((sum, byte) => table[(sum ^ byte) & 255] ^ (sum >>> 8), 0xffffffff) ^ -1) >>> 0;
  const chunk = (name, data) => {
    const body = Buffer.concat([Buffer.from(name), data]);
    const size = Buffer.alloc(4);
    const check = Buffer.alloc(4);
    size.writeUInt32BE(data.length);
    check.writeUInt32BE(crc(body));
    return Buffer.concat([size, body, check]);
  };
  const head = Buffer.from([0, 0, 1, 0, 0, 0, 1, 0, 8, 0, 0, 0, 0]);
  const signature = Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]);
  const parts = [
    chunk('IHDR', head),
    chunk('IDAT', deflateSync(rows)),
    chunk('IEND', Buffer.alloc(0)),
  ];
  return Buffer.concat([signature, ...parts]);
}

/** Starts it; `close()` ends it. Port 0: any. */
export async function startDevServer({ page, port = 0, who, isFresh = false, isSignedIn = true }) {
  const folder = join(import.meta.dirname, '..', 'dist', page);
  const index = readFileSync(join(folder, 'index.html'), 'utf8');
  const [answers, acts, approvals] =
    page === 'hub'
      ? [hubAnswers, HUB_ACTS, [...hubApprovals]]
      : [gatewayAnswers, GATEWAY_ACTS, [...gatewayApprovals]];

  const json = (response, status, body) => {
    const type = status < 400 ? 'application/json' : 'application/problem+json';
    response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' });
    response.end(JSON.stringify(body));
  };
  const problem = (response, status, code) => {
    const instance = `urn:uuid:${randomUUID()}`;
    json(response, status, { type: 'about:blank', title: 'no', status, code, instance });
  };
  const api = (request, response, { pathname, searchParams }) => {
    if (!isSignedIn) return problem(response, 401, 'UNAUTHENTICATED');
    if (pathname === '/api/v1/session') {
      return json(response, 200, sessionOf(who, page, acts[who] ?? [], { isFresh }));
    }
    if (pathname === '/api/v1/events') {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('event: changed\ndata: {"topic":"studies"}\n\n');
      return undefined;
    }
    if (pathname === '/api/v1/approvals' && request.method === 'GET') {
      return json(response, 200, { items: approvals, nextCursor: null });
    }
    if (pathname.startsWith('/api/v1/approvals') && !isFresh) {
      return problem(response, 401, 'STEP_UP_REQUIRED');
    }
    if (pathname.startsWith('/api/v1/approvals')) return json(response, 200, approvals[0]);
    if (pathname.endsWith('/preview')) {
      response.writeHead(200, { 'content-type': 'image/png' });
      return response.end(preview());
    }
    for (const [pattern, answer] of answers) {
      const match = pattern.exec(pathname);
      if (match) return json(response, 200, answer(match, searchParams, who));
    }
    return problem(response, 404, 'NOT_FOUND');
  };
  const server = createServer((request, response) => {
    const address = new URL(request.url, 'http://localhost');
    if (address.pathname.startsWith('/api/')) return api(request, response, address);
    if (address.pathname === '/auth/sign-out') return json(response, 200, { next: '/' });
    if (address.pathname.startsWith('/assets/')) {
      const name = address.pathname.slice('/assets/'.length).replace(/[^\w.-]/g, '');
      response.writeHead(200, { 'content-type': TYPES[extname(name)] ?? 'text/plain' });
      return response.end(readFileSync(join(folder, 'assets', name)));
    }
    const nonce = randomBytes(16).toString('base64url');
    response.writeHead(200, {
      ...{ 'content-type': 'text/html; charset=utf-8', 'referrer-policy': 'no-referrer' },
      ...{ 'content-security-policy': policy(nonce), 'x-content-type-options': 'nosniff' },
    });
    return response.end(index.replaceAll('__CSP_NONCE__', nonce));
  });
  await new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
  const close = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { url: `http://localhost:${server.address().port}`, close };
}

if (process.argv[1] === import.meta.filename) {
  const [page = 'hub', port = '4173', who = page === 'hub' ? 'operator' : 'it', fresh] =
    process.argv.slice(2);
  const { url } = await startDevServer({
    page,
    port: Number(port),
    who,
    isFresh: fresh === 'fresh',
  });
  console.log(url);
}
