/**
 * The sealed return envelope: what travels to the hub and back so that a result finds its study.
 * Decides its content (no identity, only HMACs) and what it is bound to; a foreign or swapped
 * envelope does not open. Invariants: equal content gives equal bytes (retry), and the nonce
 * depends on key and content, so no nonce is used for two contents.
 * Source: reliability specification C4; NIST SP 800-38D (GCM); RFC 8452 for the nonce idea.
 * Layout: version (1), epoch (uint32 BE), nonce (12), tag (16), ciphertext. Unit: bytes.
 */
import { createCipheriv, createDecipheriv, createHmac } from 'node:crypto';
import { z } from 'zod';
import { AifiError, canonicalJson } from '@aifi/shared-kernel';
import type { JobId, PseudonymousUid, Sha256, SiteId } from '@aifi/shared-kernel';
import { jobIdSchema } from '@aifi/contracts-manifests';
import type { KeyRing, SiteKeys } from '@aifi/shared-site-keys';

const envelopeSchema = z.strictObject({
  /** Key of the spool row. */
  jobId: jobIdSchema,
  revision: z.int().positive(),
  /** Where the result is owed. */
  targetId: z.string().max(64),
  /** HMAC of each identity attribute as sent. */
  identityHmacs: z.record(z.string(), z.string().regex(/^[0-9a-f]{64}$/)),
});
export type Envelope = z.infer<typeof envelopeSchema>;

/** What the seal is bound to besides its content. */
export interface EnvelopeBinding {
  readonly siteId: SiteId;
  readonly jobId: JobId;
  readonly pseudonymousStudyUid: PseudonymousUid;
  readonly manifestSha256: Sha256;
}

const VERSION = 1;
const HEADER_BYTES = 5;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const BODY_OFFSET = HEADER_BYTES + NONCE_BYTES + TAG_BYTES;

function headerOf(epoch: number): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt8(VERSION, 0);
  header.writeUInt32BE(epoch, 1);
  return header;
}

function associatedData(header: Buffer, binding: EnvelopeBinding): Buffer {
  const { siteId, jobId, pseudonymousStudyUid, manifestSha256 } = binding;
  const bound = canonicalJson([siteId, jobId, pseudonymousStudyUid, manifestSha256]);
  return Buffer.concat([header, Buffer.from(bound)]);
}

/** Seals an envelope with the site's key. */
export function sealEnvelope(content: Envelope, binding: EnvelopeBinding, keys: SiteKeys): Buffer {
  const header = headerOf(keys.epoch);
  const data = associatedData(header, binding);
  const plain = Buffer.from(canonicalJson(content));
  const nonceKey = createHmac('sha256', keys.seal).update('envelope-nonce').digest();
  const nonce = createHmac('sha256', nonceKey)
    .update(data)
    .update(plain)
    .digest()
    .subarray(0, NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', keys.seal, nonce).setAAD(data);
  const body = Buffer.concat([cipher.update(plain), cipher.final()]);
  return Buffer.concat([header, nonce, cipher.getAuthTag(), body]);
}

/** Opens an envelope; UNTRUSTED when it is foreign, swapped, changed or of another key epoch. */
export function openEnvelope(
  sealed: Uint8Array,
  binding: EnvelopeBinding,
  ring: KeyRing,
): Envelope {
  const bytes = Buffer.from(sealed);
  if (bytes.length < BODY_OFFSET) throw new AifiError('UNTRUSTED', 'not an envelope');
  const keys = ring.epoch(bytes.readUInt32BE(1));
  const header = bytes.subarray(0, HEADER_BYTES);
  if (!keys || !header.equals(headerOf(keys.epoch))) {
    throw new AifiError('UNTRUSTED', 'not an envelope of these key epochs');
  }
  const nonce = bytes.subarray(HEADER_BYTES, HEADER_BYTES + NONCE_BYTES);
  const tag = bytes.subarray(HEADER_BYTES + NONCE_BYTES, BODY_OFFSET);
  try {
    const decipher = createDecipheriv('aes-256-gcm', keys.seal, nonce, {
      authTagLength: TAG_BYTES,
    });
    decipher.setAAD(associatedData(header, binding)).setAuthTag(tag);
    const plain = Buffer.concat([decipher.update(bytes.subarray(BODY_OFFSET)), decipher.final()]);
    return envelopeSchema.parse(JSON.parse(plain.toString('utf8')));
  } catch (error) {
    throw new AifiError('UNTRUSTED', 'the envelope does not open', { cause: error });
  }
}
