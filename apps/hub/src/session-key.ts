/**
 * Session key: 32 random bytes that seal what a session keeps of its tokens.
 * Decides where they come from: the configured file, or one made once beside the data.
 * Invariants: readable by this user only; made anew it ends every session, so it is kept.
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AifiError } from '@aifi/shared-kernel';
import type { HubConfig } from './hub-config.js';

export function readSessionKey({
  sessionKeyFile,
  dataFolder,
}: Pick<HubConfig, 'sessionKeyFile' | 'dataFolder'>): Uint8Array {
  const path = sessionKeyFile ?? join(dataFolder, 'session-key.txt');
  if (sessionKeyFile === undefined) makeOnce(path, dataFolder);
  return parseKey(path);
}

function makeOnce(path: string, folder: string): void {
  mkdirSync(folder, { recursive: true });
  try {
    writeFileSync(path, randomBytes(32).toString('hex'), { mode: 0o600, flag: 'wx', flush: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw unusable(error);
  }
}

function parseKey(path: string): Uint8Array {
  let text: string;
  try {
    const isOthers = (statSync(path).mode & 0o077) !== 0;
    if (isOthers) throw new AifiError('CONFIG_INVALID', 'sessionKeyFile is readable by others');
    text = readFileSync(path, 'utf8').trim();
  } catch (error) {
    throw error instanceof AifiError ? error : unusable(error);
  }
  if (!/^[0-9a-f]{64}$/i.test(text)) {
    throw new AifiError('CONFIG_INVALID', 'sessionKeyFile does not hold 32 bytes in hexadecimal');
  }
  return Buffer.from(text, 'hex');
}

const unusable = (cause: unknown): AifiError =>
  new AifiError('CONFIG_INVALID', 'sessionKeyFile does not read', { cause });
