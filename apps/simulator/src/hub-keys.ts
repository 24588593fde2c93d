/**
 * The hub's signing keys, for simulation only.
 * Decides that they are made from fixed bytes, so that equal seeds give equal signatures.
 * Source: RFC 8410 (PKCS 8 of an Ed25519 key: a fixed prefix and 32 bytes).
 */
import { createPrivateKey, createPublicKey } from 'node:crypto';

const PKCS8_PREFIX = '302e020100300506032b657004220420';
const privateKey = createPrivateKey({
  key: Buffer.concat([Buffer.from(PKCS8_PREFIX, 'hex'), Buffer.alloc(32, 7)]),
  format: 'der',
  type: 'pkcs8',
});
export const HUB_KEYS = { privateKey, publicKey: createPublicKey(privateKey) };
