/**
 * Goal: text of every declared character set reads as the standard says, and nothing is guessed.
 * Method: phantoms with the examples of PS3.5 annexes H to K, and the shared files where they are
 * present, whose names are published with pydicom and in the standard.
 */
import { describe, expect, it } from '@jest/globals';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { AifiError } from '@aifi/shared-kernel';
import { DicomDataset, decodeText, readPart10 } from './index.js';

const YAMADA_KANJI = '山田^太郎=やまだ^たろう';
const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');

describe(decodeText.name, () => {
  const cases: [string, string[], string, string][] = [
    ['Latin-1', ['ISO_IR 100'], 'Buc^J\xe9r\xf4me', 'Buc^Jérôme'],
    ['Latin-2', ['ISO_IR 101'], 'Wa\xb3\xeasa', 'Wałęsa'],
    ['Latin-5', ['ISO_IR 148'], '\xc7avu\xfeo\xf0lu', 'Çavuşoğlu'],
    ['Cyrillic', ['ISO_IR 144'], '\xbb\xee\xda', 'Люк'],
    ['Greek', ['ISO_IR 126'], '\xc4\xe9\xef', 'Διο'],
    ['Hebrew', ['ISO_IR 138'], '\xf9\xf8\xe5\xef', 'שרון'],
    ['Arabic', ['ISO_IR 127'], '\xe2\xc8', 'قب'],
    ['Thai', ['ISO_IR 166'], '\xb9\xd2', 'นา'],
    ['UTF-8', ['ISO_IR 192'], '\xe7\x8e\x8b^\xe5\xb0\x8f', '王^小'],
    ['GB18030', ['GB18030'], '\xcd\xf5^\xd0\xa1', '王^小'],
    ['katakana', ['ISO_IR 13'], '\xd4\xcf\xc0\xde^\xc0\xdb\xb3', 'ﾔﾏﾀﾞ^ﾀﾛｳ'],
    [
      'annex H.3.1: ASCII and kanji',
      ['', 'ISO 2022 IR 87'],
      'Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B=\x1b$B$d$^$@\x1b(B^\x1b$B$?$m$&\x1b(B',
      `Yamada^Tarou=${YAMADA_KANJI}`,
    ],
    [
      'annex H.3.2: katakana and kanji',
      ['ISO 2022 IR 13', 'ISO 2022 IR 87'],
      '\xd4\xcf\xc0\xde^\xc0\xdb\xb3=\x1b$B;3ED\x1b(J^\x1b$BB@O:\x1b(J' +
        '=\x1b$B$d$^$@\x1b(J^\x1b$B$?$m$&\x1b(J',
      `ﾔﾏﾀﾞ^ﾀﾛｳ=${YAMADA_KANJI}`,
    ],
    ['supplementary kanji', ['', 'ISO 2022 IR 159'], '\x1b$(D0!\x1b(B', '丂'],
    [
      'annex I.2: Korean',
      ['', 'ISO 2022 IR 149'],
      'Hong^Gildong=\x1b$)C\xfb\xf3^\x1b$)C\xd1\xce\xd4\xd7' +
        '=\x1b$)C\xc8\xab^\x1b$)C\xb1\xe6\xb5\xbf',
      'Hong^Gildong=洪^吉洞=홍^길동',
    ],
    ['annex K: Chinese', ['', 'ISO 2022 IR 58'], 'Wang=\x1b$)A\xcd\xf5', 'Wang=王'],
    [
      'two sets of one byte, the first again after a delimiter',
      ['ISO 2022 IR 100', 'ISO 2022 IR 144', 'ISO 2022 IR 126'],
      'J\xe9r\xf4me^\x1b-L\xbb\xee\xda^\xe9=\x1b-F\xc4\xe9\xef',
      'Jérôme^Люк^é=Διο',
    ],
    ['undeclared Latin-1, as modalities write it', [], 'J\xe9r\xf4me', 'Jérôme'],
  ];
  it.each(cases)('reads %s', (_, sets, bytes, text) => {
    expect(decodeText(latin1(bytes), sets, 'PN')).toBe(text);
  });

  it('resets at ^ and = in names only', () => {
    const bytes = latin1('\x1b-L\xbb=\xee');
    const sets = ['ISO 2022 IR 100', 'ISO 2022 IR 144'];
    expect(decodeText(bytes, sets, 'PN')).toBe('Л=î');
    expect(decodeText(bytes, sets, 'LO')).toBe('Л=ю');
  });

  const faults: [string, string[], string][] = [
    ['an unknown set', ['ISO_IR 999'], 'x'],
    ['an unknown second set', ['ISO_IR 100', 'ISO 2022 IR 999'], 'x'],
    ['bytes that are no UTF-8', ['ISO_IR 192'], 'B\xe4n'],
    ['UTF-8 cut short', ['ISO_IR 192'], '\xe7\x8e'],
    ['an unknown escape sequence', ['', 'ISO 2022 IR 87'], '\x1b%Gx'],
    ['half a kanji', ['', 'ISO 2022 IR 87'], '\x1b$B;\x1b(B'],
    ['high bytes that no escape sequence designates', ['', 'ISO 2022 IR 149'], '\xfb\xf3'],
  ];
  it.each(faults)('refuses %s', (_, sets, bytes) => {
    expect(() => decodeText(latin1(bytes), sets)).toThrow(AifiError);
  });

  it('uses the set of the item, or else the one around it', () => {
    const name = { tag: 0x00100010, vr: 'PN', value: latin1('\xbb\xee\xda ') };
    const parent = new DicomDataset().setString('SpecificCharacterSet', 'ISO_IR 144');
    const [inheriting, own] = [new DicomDataset().put(name), new DicomDataset().put(name)];
    inheriting.inheritCharacterSets(parent);
    own.inheritCharacterSets(parent);
    own.setString('SpecificCharacterSet', 'ISO_IR 100');
    expect(inheriting.string('PatientName')).toBe('Люк');
    expect(own.string('PatientName')).toBe('»îÚ');
  });
});

const folder = join(import.meta.dirname, '../../../../../shared/data/dicom/charsets');
const NAMES: Readonly<Record<string, string>> = {
  'chrArab.dcm': 'قباني^لنزار',
  'chrFren.dcm': 'Buc^Jérôme',
  'chrFrenMulti.dcm': 'Buc^Jérôme',
  'chrGerm.dcm': 'Äneas^Rüdiger',
  'chrGreek.dcm': 'Διονυσιος',
  'chrH31.dcm': `Yamada^Tarou=${YAMADA_KANJI}`,
  'chrH32.dcm': `ﾔﾏﾀﾞ^ﾀﾛｳ=${YAMADA_KANJI}`,
  'chrHbrw.dcm': 'שרון^דבורה',
  'chrI2.dcm': 'Hong^Gildong=洪^吉洞=홍^길동',
  'chrJapMulti.dcm': 'やまだ^たろう',
  'chrJapMultiExplicitIR6.dcm': 'やまだ^たろう',
  'chrKoreanMulti.dcm': '김희중',
  'chrRuss.dcm': 'Люкceмбypг',
  'chrX1.dcm': 'Wang^XiaoDong=王^小東=',
  'chrX2.dcm': 'Wang^XiaoDong=王^小东=',
};

describe('names in real files', () => {
  it('read as published', async () => {
    const present = Object.entries(NAMES).filter(([file]) => existsSync(join(folder, file)));
    for (const [file, name] of present) {
      const { dataset } = await readPart10(join(folder, file));
      expect([file, dataset.string('PatientName')]).toEqual([file, name]);
    }
  });

  it('read in items that declare a set of their own', async () => {
    for (const file of ['chrSQEncoding.dcm', 'chrSQEncoding1.dcm']) {
      const path = join(folder, file);
      if (!existsSync(path)) continue;
      const [item] = (await readPart10(path)).dataset.items('RequestedProcedureCodeSequence');
      expect(item?.string('PatientName')).toBe(`ﾔﾏﾀﾞ^ﾀﾛｳ=${YAMADA_KANJI}`);
    }
  });
});
