/**
 * Secrets that a gateway makes for itself: the session key and the key that signs anchors.
 * Decides that each is a file of its own with mode 0600, made once and never overwritten.
 * Invariant: a file that others may read is refused. Source: security specification 5 (keys).
 */
import { createPrivateKey, generateKeyPairSync, randomBytes, type KeyObject } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { AifiError, writeDurableFile } from '@aifi/shared-kernel';

const PERMISSIONS_OF_OTHERS = 0o077;
const SESSION_KEY_BYTES = 32; // AES-256

/** The 32 bytes (in the file as hexadecimal) that seal the tokens of sessions. */
export async function loadOrCreateSessionKey(path: string): Promise<Buffer> {
  const make = (): Buffer => Buffer.from(randomBytes(SESSION_KEY_BYTES).toString('hex'));
  const text = (await loadOrCreate(path, make)).toString('utf8').trim();
  if (/^[0-9a-f]{64}$/i.test(text)) return Buffer.from(text, 'hex');
  throw new AifiError('CONFIG_INVALID', 'the session key file is damaged');
}

/** The Ed25519 key that signs the gateway's anchors (PEM, PKCS #8). */
export async function loadOrCreateAuditKey(path: string): Promise<KeyObject> {
  const pem = await loadOrCreate(path, newAuditKey);
  try {
    const key = createPrivateKey(pem);
    if (key.asymmetricKeyType === 'ed25519') return key;
  } catch (error) {
    throw new AifiError('CONFIG_INVALID', 'the audit key file is damaged', { cause: error });
  }
  throw new AifiError('CONFIG_INVALID', 'the audit key is not an Ed25519 key');
}

const newAuditKey = (): Buffer =>
  Buffer.from(generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }));

async function loadOrCreate(path: string, make: () => Buffer): Promise<Buffer> {
  const mode = await modeOf(path);
  if (mode === undefined) {
    await writeDurableFile(path, make());
  } else if ((mode & PERMISSIONS_OF_OTHERS) !== 0) {
    throw new AifiError('CONFIG_INVALID', 'a key file may be read by others: chmod 600');
  }
  return readFile(path);
}

async function modeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).mode;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new AifiError('CONFIG_INVALID', 'a key file cannot be read', { cause: error });
  }
}
