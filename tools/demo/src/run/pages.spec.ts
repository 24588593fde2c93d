/**
 * Goal: the demonstration says where to look and as whom. Method: the words themselves.
 */
import { expect, it } from '@jest/globals';
import { DEMO_PASSWORD, demoAccounts } from '@aifi/access-embedded-provider';
import { pageLines } from './pages.js';

const lines = pageLines({
  hub: 'http://localhost:1/',
  gateways: { 'site-a': 'http://localhost:2/', 'site-b': 'http://localhost:3/' },
});

it('names each page, whom to sign in as, and the password', () => {
  expect(lines).toEqual([
    'hub     http://localhost:1/  sign in as central-operator, auditor',
    'site-a  http://localhost:2/  sign in as radiologist.site-a, hospital-it.site-a, ' +
      'privacy-officer.site-a',
    'site-b  http://localhost:3/  sign in as radiologist.site-b, hospital-it.site-b, ' +
      'privacy-officer.site-b',
    `password of every account: ${DEMO_PASSWORD} (the sign-in page lists all of them)`,
  ]);
});
it('names only accounts that exist', () => {
  const accounts = demoAccounts({ siteIds: ['site-a', 'site-b'] });
  const known = accounts.map(({ userName }) => userName);
  const named = lines.flatMap((line) => /sign in as (.*)$/.exec(line)?.[1]?.split(', ') ?? []);
  expect(named.filter((userName) => !known.includes(userName))).toEqual([]);
  expect(named).toHaveLength(8);
});
