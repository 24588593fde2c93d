/**
 * Tokens: what a sign-in leaves on this machine, one file per server.
 * Decides where they lie and who may read them. Invariants: a file of mode 600 in a folder of mode
 * 700; replaced whole or not at all; never printed. Source: RFC 8252 (native applications).
 */
import { createHash, randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

const savedTokensSchema = z.object({
  schema: z.literal('aifictl.tokens.v1'),
  /** Origin of the hub or gateway that they are for. */
  server: z.string(),
  issuer: z.string(),
  accessToken: z.string(),
  refreshToken: z.string().nullable(),
  expiresAtMs: z.number(),
});
export type SavedTokens = z.infer<typeof savedTokensSchema>;

export interface TokenStore {
  read(server: string): SavedTokens | undefined;
  write(tokens: SavedTokens): void;
  /** False when there was none. */
  remove(server: string): boolean;
}

/** Tokens below a folder that need not exist yet. */
export function tokenFiles(folder: string): TokenStore {
  const fileOf = (server: string): string =>
    join(folder, `${createHash('sha256').update(server).digest('hex').slice(0, 32)}.json`);
  const read = (server: string): SavedTokens | undefined => {
    try {
      const tokens = savedTokensSchema.parse(JSON.parse(readFileSync(fileOf(server), 'utf8')));
      return tokens.server === server ? tokens : undefined;
    } catch {
      // Not there, or of another version: whoever needs it signs in again.
      return undefined;
    }
  };
  return {
    read,
    write: (tokens) => {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      const made = join(folder, `.${randomUUID()}`);
      writeFileSync(made, `${JSON.stringify(tokens)}\n`, { mode: 0o600, flag: 'wx' });
      renameSync(made, fileOf(tokens.server));
    },
    remove: (server) => {
      const wasThere = read(server) !== undefined;
      rmSync(fileOf(server), { force: true });
      return wasThere;
    },
  };
}
