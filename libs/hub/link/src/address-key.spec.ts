/**
 * Goal: who has many addresses is counted once.
 * Method: addresses in the ways in which they are written.
 */
import { describe, expect, it } from '@jest/globals';
import { addressKey } from './address-key.js';

describe(addressKey.name, () => {
  it.each([
    ['an IPv4 address by itself', '192.0.2.1', '192.0.2.1'],
    ['an IPv4 address written as IPv6', '::ffff:192.0.2.1', '192.0.2.1'],
    ['an IPv6 address by its first 64 bits', '2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['zeros in front that are written', '2001:0db8:0001:0002::6', '2001:db8:1:2::/64'],
    ['zeros that are left out', '2001:db8::1', '2001:db8:0:0::/64'],
    ['zeros that are left out within', '2001:db8:0:7::', '2001:db8:0:7::/64'],
    ['an address with its zone', 'fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['this machine', '::1', '0:0:0:0::/64'],
  ])('counts %s', (_name, address, key) => {
    expect(addressKey(address)).toBe(key);
  });
  it('tells two subscribers apart and one not', () => {
    expect(addressKey('2001:db8:0:1::a')).toBe(addressKey('2001:db8:0:1:ffff::b'));
    expect(addressKey('2001:db8:0:1::a')).not.toBe(addressKey('2001:db8:0:2::a'));
  });
});
