/**
 * Identity file: who this gateway is to the hub, and whom it trusts, in one file of mode 600.
 * Decides that key, certificate, authorities and signing keys change together: one durable write
 * and one rename, so that a crash leaves the old identity or the new one, whole.
 * Invariants: a file that does not read is a fault and never "not joined"; the folder is mode 700.
 * Source: reliability specification 2 (DURABLE).
 */
import { readFileSync } from 'node:fs';
import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { AifiError, crashPoint, writeDurableFile } from '@aifi/shared-kernel';

const pem = z
  .string()
  .startsWith('-----BEGIN ')
  .max(64 * 1024);
const identitySchema = z.strictObject({
  schema: z.literal('aifi.gateway-identity.v1'),
  /** PKCS #8. */
  key: pem,
  /** Own certificate, with intermediates after it where there are any. */
  certificate: pem,
  trustAnchors: z.array(pem).min(1).max(32),
  /** Ed25519, SPKI; of rules, outcomes and this configuration. */
  signingKeys: z.array(pem).min(1).max(16),
  /** As the hub signed it, base64. */
  configuration: z.strictObject({ document: z.string(), signature: z.string() }),
  joinedAtMs: z.int().nonnegative(),
});
export type LinkIdentity = z.output<typeof identitySchema>;

/** Of the moments around a change: `gateway.link.<before|after>-<what>-written`. */
export type IdentityChange = 'join' | 'renewal' | 'trust';

export const linkFolder = (dataFolder: string): string => join(dataFolder, 'link');

export class IdentityFile {
  readonly #path: string;

  constructor(private readonly folder: string) {
    this.#path = join(folder, 'identity.json');
  }

  /** Undefined: not joined. CONFIG_INVALID: something lies there that is no identity. */
  read(): LinkIdentity | undefined {
    let text: string;
    try {
      text = readFileSync(this.#path, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw unreadable(error);
    }
    const parsed = identitySchema.safeParse(jsonOf(text));
    if (!parsed.success) throw unreadable(undefined);
    return parsed.data;
  }

  async write(identity: LinkIdentity, change: IdentityChange): Promise<void> {
    await this.prepareFolder();
    crashPoint(`gateway.link.before-${change}-written`);
    await writeDurableFile(this.#path, Buffer.from(`${JSON.stringify(identity)}\n`));
    crashPoint(`gateway.link.after-${change}-written`);
  }

  /** Made, or narrowed: whoever may enter it may ask the relay for a connection. */
  async prepareFolder(): Promise<void> {
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    await chmod(this.folder, 0o700);
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
const unreadable = (cause: unknown): AifiError =>
  new AifiError('CONFIG_INVALID', 'the identity file of the link does not read', { cause });
