/**
 * Goal: every answer of every route carries the headers that tell a browser what it may do.
 * Method: one call per route as somebody who may, over the real interface; a snapshot per kind of
 * answer; a built console of two files beside it.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gatewayRoutes, signInRoutes } from '@aifi/contracts-rest';
import { temporaryFolder } from '@aifi/shared-testing';
import { CALLS } from '../test/access-calls.js';
import type { RouteId } from '../test/access-rows.table.js';
import { PlantedGateway } from '../test/planted-gateway.js';

const console = temporaryFolder('console');
const sut = new PlantedGateway();
beforeAll(async () => {
  mkdirSync(join(console.path, 'assets'));
  writeFileSync(join(console.path, 'index.html'), '<style nonce="__CSP_NONCE__"></style>');
  writeFileSync(join(console.path, 'assets', 'a-1.js'), '1');
  await sut.start({ consoleFolder: console.path });
});
afterAll(async () => {
  await sut.stop();
  console.remove();
});

const DATA = {
  'content-security-policy':
    "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': expect.stringMatching(/^accelerometer=\(\), .*camera=\(\), /),
  'x-frame-options': 'DENY',
  'cache-control': 'no-store',
};
/** What a browser is told; what the server writes about the connection is left out. */
function headersOf({ headers }: Response): Record<string, string> {
  const left = ['vary', 'date', 'connection', 'keep-alive', 'content-length', 'transfer-encoding'];
  return Object.fromEntries([...headers].filter(([name]) => !left.includes(name)));
}
const TYPES: Partial<Record<RouteId, object>> = {
  metrics: { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' },
  events: { 'content-type': 'text/event-stream; charset=utf-8' },
  exportAudit: {
    'content-type': 'application/x-ndjson',
    'content-disposition': 'attachment; filename="audit-ndjson.ndjson"',
  },
  pixelHoldPreview: { 'content-type': 'image/png' },
  exportRecall: {
    'content-type': 'text/csv; charset=utf-8',
    'content-disposition': 'attachment; filename="results-register.csv"',
  },
  exportCatalogue: {
    'content-type': 'text/csv; charset=utf-8',
    'content-disposition': 'attachment; filename="catalogue.csv"',
  },
  backChannelLogout: { 'content-type': 'text/html; charset=utf-8' },
  ...{ signIn: { location: '/' }, stepUp: { location: '/' }, callback: { location: '/' } },
};
const privacy: readonly string[] = [
  ...['patientFlags', 'setPatientFlag', 'removePatientFlag', 'alerts', 'acknowledgeAlert'],
  ...['patientExtract', 'exportAudit', 'erasePatient'],
];
/** Without a second person. */
const byTwo: readonly string[] = ['reidentify', 'erasePatient'];

describe('an answer', () => {
  it.each(Object.keys({ ...gatewayRoutes, ...signInRoutes }) as RouteId[])(
    'of %s has the headers of data and no other',
    async (id) => {
      const token = privacy.includes(id) ? 'privacy-officer.own' : 'hospital-it.own';
      const response = await CALLS[id][0]!.send(sut, token);
      const found = headersOf(response);
      await response.body?.cancel();
      const isRefused = byTwo.includes(id);
      const json = isRefused ? 'application/problem+json' : 'application/json';
      const type = TYPES[id] ?? { 'content-type': expect.stringContaining(json) };
      const { 'content-type': contentType, ...others } = found;
      const isRedirect = 'location' in type;
      expect(isRedirect ? others : { 'content-type': contentType, ...others }).toEqual({
        ...DATA,
        ...type,
      });
    },
  );
  it('of a problem has them too', async () => {
    const response = await sut.call(undefined, '/api/v1/studies');
    expect(headersOf(response)).toEqual({
      ...DATA,
      'content-type': expect.stringContaining('application/problem+json'),
      'www-authenticate': expect.stringMatching(/^Bearer resource_metadata=/),
    });
  });
  it('that is a page allows what the page brings, by a nonce of its own, and nothing else', async () => {
    const [first, second] = [await sut.call(undefined, '/'), await sut.call(undefined, '/x')];
    const [one, two] = [await first.text(), await second.text()];
    expect(first.status).toBe(200);
    const nonce = /nonce="([\w-]{22})"/.exec(one)?.[1];
    expect(nonce).toBeDefined();
    expect(two).not.toContain(nonce!);
    expect(headersOf(first)).toEqual({
      ...DATA,
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy':
        `default-src 'none'; script-src 'self'; style-src 'self' 'nonce-${nonce}'; ` +
        "connect-src 'self'; img-src 'self' data:; frame-ancestors 'none'; " +
        "base-uri 'none'; form-action 'self'",
    });
  });
  it('that is an asset may be kept, and nothing beside the folder is one', async () => {
    const asset = await sut.call(undefined, '/assets/a-1.js');
    expect(asset.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
    expect(await asset.text()).toBe('1');
    for (const path of ['/assets/a-2.js', '/assets/..%2f..%2faccess.db']) {
      expect((await sut.call(undefined, path)).status).toBe(404);
    }
  });
});
