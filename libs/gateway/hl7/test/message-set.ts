/**
 * The set of messages in fixtures/, as they come over the wire, and what is expected of each.
 * Decides how a file is played: all its bytes on one connection of its own, in the order of names.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Demographics } from '../src/identity-message.js';

const FIXTURES = join(import.meta.dirname, '..', 'fixtures');

export interface ExpectedOrder {
  readonly number: string;
  readonly absent?: boolean;
  readonly codes?: readonly string[];
  readonly priority?: string;
  readonly studyUid?: string;
}
export interface ExpectedEvent {
  readonly trigger: string;
  readonly from: string;
  readonly into: string;
  readonly demographics: Demographics;
  readonly happened?: string;
  readonly studyUids?: readonly string[];
}
export interface ExpectedObjection {
  readonly patient: string;
  readonly kinds: readonly string[];
  readonly isObjecting: boolean;
  readonly said: string;
  readonly until?: string;
}
export interface MessageFile {
  readonly file: string;
  /** MSA-1 of each answer. */
  readonly answers: readonly string[];
  /** What is wrong with it; absent: nothing. */
  readonly why?: string;
  /** Code of table 0357 in the first answer. */
  readonly condition?: number;
  /** Word under which the end of the connection is counted. */
  readonly closed?: string;
  /** As it is after all messages. */
  readonly order?: ExpectedOrder;
  readonly events?: readonly ExpectedEvent[];
  readonly objections?: readonly ExpectedObjection[];
  readonly bytes: Buffer;
}

export function messageSet(): readonly MessageFile[] {
  const rows = JSON.parse(readFileSync(join(FIXTURES, 'expected.json'), 'utf8')) as Omit<
    MessageFile,
    'bytes'
  >[];
  return rows.map((row) => ({ ...row, bytes: readFileSync(join(FIXTURES, 'messages', row.file)) }));
}

/** Identities that are planted in the set, as they would read in text of any of its sets. */
export const PLANTED: readonly string[] = [
  ...['Berg', 'Müller', 'Hart', 'Luttikhuis', 'Ünal', 'Ozdemir', 'Özdemir', 'Đurđević'],
  ...['Žižek', 'Boer', 'Amrani', 'Veer', 'Brouwer', 'HOOGENDOORN', 'Hoogendoorn', 'Smit'],
  ...['Anneliese', 'Geertruida', 'Bernardus', 'Renée', 'Noël', 'Zeedijk', '5550123'],
  ...['1000001', '1000002', '1000777', '1000888', '1999901', '2000001', '999990019', '999990020'],
  ...['19610402', '19440229', '26A00000', '26B00000', '26C00000', '900001', '910001', 'V700001'],
  ...['Z0000001', 'H0000001', 'A0000010'],
];
