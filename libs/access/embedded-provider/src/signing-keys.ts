/**
 * Signing keys of the embedded provider.
 * Decides that a key is made once and kept, so that tokens from before a restart still verify.
 * Invariants: mode 0600 from its first byte; a file that others may read is refused; the file under
 * its name is whole. Source: RFC 7517 (JWK set), RFC 7518 3.3 (RS256).
 */
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JWKS } from 'oidc-provider';
import { AifiError } from '@aifi/shared-kernel';

export const SIGNING_ALGORITHM = 'RS256';
/** @source NIST SP 800-131A: 112 bits of strength, enough for a demonstration. @unit bit */
const MODULUS_BITS = 2_048;

export function loadOrCreateSigningKeys(folder: string): JWKS {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, 'provider-keys.json');
  if (!existsSync(path)) {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: MODULUS_BITS });
    const key = { ...privateKey.export({ format: 'jwk' }), kid: randomUUID() };
    const keys = [{ ...key, use: 'sig', alg: SIGNING_ALGORITHM }];
    const temporary = `${path}.${randomUUID()}.part`;
    writeFileSync(temporary, JSON.stringify({ keys }), { mode: 0o600, flag: 'wx' });
    renameSync(temporary, path);
  }
  if ((statSync(path).mode & 0o077) !== 0) {
    throw new AifiError('CONFIG_INVALID', 'the key file of the provider may be read by others');
  }
  return JSON.parse(readFileSync(path, 'utf8')) as JWKS;
}
