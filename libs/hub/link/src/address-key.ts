/**
 * addressKey: under which name connections of an address are counted.
 * Decides that an IPv4 address counts by itself, also where it is written as an IPv6 one, and an
 * IPv6 address by its first 64 bits: one subscriber has all addresses below those.
 * Pure. Source: RFC 4291 2.2, 2.5.4; RFC 6177 (assignments to end sites).
 */
const MAPPED = /^::ffff:(\d{1,3}(?:\.\d{1,3}){3})$/i;
const GROUPS = 8;
const GROUPS_OF_SUBSCRIBER = 4;

export function addressKey(address: string): string {
  const mapped = MAPPED.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  if (!address.includes(':')) return address;
  const [bare = ''] = address.split('%');
  const [head = '', tail] = bare.split('::');
  const front = groupsOf(head);
  const back = groupsOf(tail ?? '');
  const zeros = Math.max(0, GROUPS - front.length - back.length);
  const filled =
    tail === undefined ? front : [...front, ...Array<string>(zeros).fill('0'), ...back];
  const first = filled.slice(0, GROUPS_OF_SUBSCRIBER);
  return `${first.map((group) => group.toLowerCase().replace(/^0+(?=.)/, '')).join(':')}::/64`;
}

const groupsOf = (text: string): string[] => text.split(':').filter((group) => group !== '');
