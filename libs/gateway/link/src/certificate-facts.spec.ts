/**
 * Goal: when a certificate is renewed and alarmed is arithmetic of its dates and nothing else.
 * Method: facts by hand, a keeper with a hub that answers or not, time moved by hand.
 */
import { describe, expect, it } from '@jest/globals';
import { AifiError, Wake } from '@aifi/shared-kernel';
import type { Logger } from '@aifi/shared-observability';
import { FakeClock } from '@aifi/shared-testing';
import { linkFindingWords, LINK_FINDING_CODES } from '@aifi/contracts-rest';
import { ERROR_CATALOGUE } from '@aifi/shared-kernel';
import {
  alarmOf,
  chanceOf,
  daysLeft,
  renewalAtMs,
  type CertificateFacts,
} from './certificate-facts.js';
import { LinkKeeper } from './link-keeper.js';
import { linkSettingsSchema, targetOf } from './link-settings.js';
import { relayPath } from './relay.js';

const DAY_MS = 86_400_000;
const facts = (days: number): CertificateFacts => ({
  ...{ serialNumber: '01', subject: 'CN=x', fingerprint: 'ff'.repeat(32), gateway: 1 },
  ...{ notBeforeMs: 0, notAfterMs: days * DAY_MS },
});

describe(renewalAtMs.name, () => {
  it('is at 60 of 90 days, up to a day sooner by chance, the same after a restart', () => {
    expect(renewalAtMs(facts(90), 0)).toBe(60 * DAY_MS);
    expect(renewalAtMs(facts(90), 0.999)).toBeGreaterThan(59 * DAY_MS);
    expect(chanceOf(facts(90))).toBe(chanceOf(facts(90)));
    expect(chanceOf(facts(90))).toBeLessThan(1);
  });
});

describe(alarmOf.name, () => {
  it.each([
    [31, 'none'],
    [30, 'none'],
    [29.9, 'soon'],
    [14, 'soon'],
    [13.9, 'urgent'],
    [3, 'urgent'],
    [2.9, 'critical'],
    [0, 'expired'],
    [-1, 'expired'],
  ])('with %d days left is %s', (left, alarm) => {
    expect(alarmOf(facts(90), (90 - left) * DAY_MS)).toBe(alarm);
    expect(daysLeft(facts(90), (90 - left) * DAY_MS)).toBe(Math.floor(left));
  });
  it('a renewal in order never alarms', () => {
    for (const random of [0, 0.5, 0.999]) {
      expect(alarmOf(facts(90), renewalAtMs(facts(90), random))).toBe('none');
    }
  });
  it('of a certificate that lives a day is in proportion', () => {
    expect(alarmOf(facts(1), 0.5 * DAY_MS)).toBe('none');
    expect(alarmOf(facts(1), 0.7 * DAY_MS)).toBe('soon');
  });
});

/** A certificate of a hundred years; its key is not kept. */
const PEM = `-----BEGIN CERTIFICATE-----
MIIBbjCCARWgAwIBAgIUWU6y2eeGt7Dwsoy7hFFOQWI1L84wCgYIKoZIzj0EAwIw
DDEKMAgGA1UEAwwBeDAgFw0yNjExMjEyMjM5MzJaGA8yMTI2MTAyODIyMzkzMlow
DDEKMAgGA1UEAwwBeDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABLiZSeI3q/1p
J5+a8g9vWa/3ieJQ9Wce/Xbu38TgmZnWIz+lJX2dq6qbo86KD9sB1sodxceMkZbP
vOynQ6jxqKOjUzBRMB0GA1UdDgQWBBROBa+v5YT//RhQQRDt3f2Xnnl4jTAfBgNV
HSMEGDAWgBROBa+v5YT//RhQQRDt3f2Xnnl4jTAPBgNVHRMBAf8EBTADAQH/MAoG
CCqGSM49BAMCA0cAMEQCIF5hKtSGqQODnFdSW5HaLGtbybbAHnvv9aCJ3WYTgRGi
AiBEXzTttgA8JRn4I4dp/C/iL/wjsD+at+rUQSzKhzLb1w==
-----END CERTIFICATE-----`;

describe(LinkKeeper.name, () => {
  it('asks again with full jitter from a minute to an hour, and tells a hub that is away once a try', async () => {
    const clock = new FakeClock(0);
    const lines: string[] = [];
    const log = (level: string) => (): void => void lines.push(level);
    const logger = {
      ...{ info: log('info'), warn: log('warn'), error: log('error'), fault: log('fault') },
      child: () => logger,
    } as Logger;
    let asked = 0;
    const away = (): Promise<never> => {
      asked += 1;
      return Promise.reject(new AifiError('PEER_UNAVAILABLE', 'away'));
    };
    const keeper = new LinkKeeper({
      identity: {
        current: { certificate: PEM } as never,
        ...{ renew: away, refreshTrust: away, signingKeys: [] },
      },
      port: { renew: away, getTrust: away },
      ...{ clock, logger, random: () => 0.5, wake: new Wake() },
    });
    await keeper.look();
    expect(asked).toBe(1);
    // 30 s, 1 min, 2 min, ... each half of what it may be at most.
    for (const [waitMs, times] of [
      [29_000, 1],
      [1_000, 2],
      [59_000, 2],
      [1_000, 3],
    ] as const) {
      clock.advance(waitMs);
      await keeper.look();
      expect(asked).toBe(times);
    }
    expect(new Set(lines)).toEqual(new Set(['warn']));
  });
});

describe('words', () => {
  it('are there in both languages for every code of the link, and no other', () => {
    for (const code of LINK_FINDING_CODES) {
      expect(Object.keys(ERROR_CATALOGUE)).toContain(code);
      const { nl, en } = linkFindingWords(code)!;
      expect(nl.length).toBeGreaterThan(20);
      expect(en).not.toBe(nl);
    }
    const own = Object.keys(ERROR_CATALOGUE).filter((code) => /^(LINK|JOIN)_/.test(code));
    expect(LINK_FINDING_CODES).toEqual(expect.arrayContaining(own));
    expect(linkFindingWords('CODE_OF_TOMORROW')).toBeUndefined();
  });
});

describe('settings', () => {
  it.each<[string, object]>([
    ['a path in the address of the proxy', { url: 'http://proxy:1/path' }],
    ['a name in it', { url: 'http://user:secret@proxy:1' }],
    ['another scheme', { url: 'socks5://proxy:1' }],
    ['a name without a password', { url: 'http://proxy:1', userName: 'gateway' }],
    ['a colon in the name', { url: 'http://proxy:1', userName: 'a:b', passwordFile: 'f' }],
    ['an authority of a plain proxy', { url: 'http://proxy:1', caFile: 'f' }],
  ])('refuse %s', (_, proxy) => {
    expect(linkSettingsSchema.safeParse({ address: 'hub:443', proxy }).success).toBe(false);
  });
  it('name the hub by its address unless told otherwise', () => {
    expect(targetOf({ address: 'hub.example:443' })).toEqual({
      ...{ host: 'hub.example', port: 443, serverName: 'hub.example' },
    });
    expect(targetOf({ address: '10.0.0.1:443', serverName: 'hub' }).serverName).toBe('hub');
  });
});

describe(relayPath.name, () => {
  it('is relative where the whole would be too long for a socket', () => {
    const deep = `/${'d'.repeat(120)}`;
    expect(relayPath('/data/link', '/')).toBe('/data/link/relay.sock');
    expect(relayPath(`${deep}/link`, deep)).toBe('link/relay.sock');
  });
});
