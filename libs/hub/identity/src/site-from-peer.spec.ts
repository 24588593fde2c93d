/**
 * Goal: the site comes from the certificate only (guard C1), in code, contract and calls.
 * Method: alternative names that must and must not name a site; a search through the contract for a
 * site field and through the hub's sources for another way to a SiteId.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { peerFromAlternativeNames, linkPeerOf } from './site-from-peer.js';

const repository = join(import.meta.dirname, '../../../..');

function files(folder: string, extension: string): string[] {
  return readdirSync(join(repository, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(extension))
    .filter((name) => !/(^|\/)(dist|node_modules)\//.test(name))
    .map((name) => join(folder, name));
}
const text = (file: string): string => readFileSync(join(repository, file), 'utf8');

describe(peerFromAlternativeNames.name, () => {
  it('reads the site of a gateway URI, beside other kinds of names', () => {
    const names = 'DNS:gateway.example, URI:spiffe://aifi/site/site-a/gw/1, IP Address:127.0.0.1';
    expect(peerFromAlternativeNames(names)).toEqual({ siteId: 'site-a', gateway: 1 });
  });

  it.each([
    ['no name at all', ''],
    ['no URI', 'DNS:site-a'],
    ['two gateway URIs', 'URI:spiffe://aifi/site/a/gw/1, URI:spiffe://aifi/site/b/gw/1'],
    ['a second URI of another kind', 'URI:spiffe://aifi/site/a/gw/1, URI:https://example.org'],
    ['another trust domain', 'URI:spiffe://other/site/a/gw/1'],
    ['a longer path', 'URI:spiffe://aifi/site/a/gw/1/../../b/gw/1'],
    ['no gateway number', 'URI:spiffe://aifi/site/a/gw/'],
    ['capitals', 'URI:spiffe://aifi/site/Site-A/gw/1'],
    ['a path in the site', 'URI:spiffe://aifi/site/../gw/1'],
    ['a DNS name that looks like the URI', 'DNS:"URI:spiffe://aifi/site/a/gw/1"'],
    ['a quoted URI', 'URI:"spiffe://aifi/site/a/gw/1\\u002c URI:x"'],
  ])('refuses %s', (_, names) => {
    expect(() => peerFromAlternativeNames(names)).toThrow('names no site');
  });
});

describe(linkPeerOf.name, () => {
  it('refuses a peer without a verified certificate', () => {
    for (const context of [null, {}, { transportSecurityType: 'ssl' }]) {
      expect(() => linkPeerOf({ getAuthContext: () => context })).toThrow('names no site');
    }
  });
});

describe('the contract', () => {
  it('has no field in any message that names a site', () => {
    const contracts = files('libs/contracts/proto', '.proto');
    expect(contracts.length).toBeGreaterThanOrEqual(2);
    for (const file of contracts) {
      const fields = text(file).replace(/\/\/.*$/gm, '');
      expect(fields).not.toMatch(/site|tenant|hospital/i);
    }
  });
});

describe('the hub', () => {
  it('makes a SiteId in this library only', () => {
    const sources = [...files('libs/hub', '.ts'), ...files('apps/hub', '.ts')];
    const others = sources.filter((file) => !/\.spec\.ts$|libs\/hub\/identity\//.test(file));
    expect(others.length).toBeGreaterThan(10);
    for (const file of others) {
      expect(text(file)).not.toMatch(/\bas (unknown as )?SiteId\b|\bsiteId\(|<SiteId>\(/);
    }
  });

  it('enters a site by a configured name only when it enrols sites', () => {
    const users = files('libs/hub', '.ts').filter((file) =>
      /withConfiguredSite/.test(text(file).replace(/this\.withConfiguredSite/g, '')),
    );
    expect(users.filter((file) => !file.endsWith('.spec.ts')).sort()).toEqual([
      'libs/hub/database/src/enrolment.ts',
      'libs/hub/database/src/hub-database.ts',
    ]);
  });

  it('calls nobody but its own database and its own worker (C2)', () => {
    const sources = [...files('libs/hub', '.ts'), ...files('apps/hub/src', '.ts')];
    const callers = sources
      .filter((file) => !/\.spec\.ts$|\/test\//.test(file))
      .filter((file) =>
        /\b(connect|createConnection|fetch|httpRequest|request)\(|ServiceClient\(|DimseScu/.test(
          text(file).replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, ''),
        ),
      );
    expect(callers.sort()).toEqual([
      'libs/hub/database/src/embedded-postgres.ts',
      // Gives a connection of its pool up.
      'libs/hub/database/src/hub-database.ts',
      'libs/hub/infer/src/worker-client.ts',
    ]);
  });
});
