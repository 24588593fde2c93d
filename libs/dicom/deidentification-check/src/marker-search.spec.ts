/** Goal: a marker is found however it was written. Method: the bytes of each encoding, by hand. */
import { describe, expect, it } from '@jest/globals';
import { countMarkers, isNationalNumber, markersIn } from './index.js';

describe('markersIn', () => {
  const around = (hex: string): Buffer => Buffer.from(`00ff${hex}00`, 'hex');
  it.each([
    ['ASCII', 'Visser', '566973736572'],
    ['capitals', 'Visser', '564953534552'],
    ['UTF-16 LE', 'Visser', '560069007300730065007200'],
    ['UTF-16 BE', 'Visser', '005600690073007300650072'],
    ['Latin-1', 'Koëter', '4b6feb746572'],
    ['UTF-8', 'Koëter', '4b6fc3ab746572'],
    ['JIS X 0208', '山田', '3b334544'],
    ['EUC-JP', '山田', 'bbb3c5c4'],
  ])('finds %s', (_, marker, hex) => {
    expect(markersIn(around(hex), [marker, 'absent'])).toEqual([marker]);
  });
  it('finds each marker once and none that is cut short', () => {
    const bytes = Buffer.from('QJX00001KZ QJX00001KZ QJX00002K');
    expect(countMarkers(bytes, ['QJX00001KZ', 'QJX00002KZ'])).toBe(1);
  });
});

describe('isNationalNumber', () => {
  it.each(['123456782', '111222333', '12345672'])('takes %s, which passes', (digits) => {
    expect(isNationalNumber(digits)).toBe(true);
  });
  it.each(['123456783', '000000000', '12345678', '1234567890'])('does not take %s', (digits) => {
    expect(isNationalNumber(digits)).toBe(false);
  });
});
