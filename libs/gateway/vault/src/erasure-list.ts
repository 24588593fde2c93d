/**
 * Erasure list: a file beside the vault that says whom it must not know any more.
 * Decides that an erasure is durable there before a row goes, so that a restored backup, or a
 * process that died in between, has it applied again. Invariants: blind indexes only; a line that
 * this site's key did not make stops the vault; written by whoever holds the database's write lock.
 * Source: GDPR Article 17; reliability specification 2 (DURABLE, deletion rules).
 */
import { createHmac, randomUUID, timingSafeEqual } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';
import { AifiError, canonicalJson, fileFault } from '@aifi/shared-kernel';
import type { BlindIndex } from './blind-index.js';

const indexSchema = z.string().regex(/^[0-9a-f]{64}$/);
const erasureSchema = z.strictObject({
  id: z.uuid(),
  atMs: z.int().nonnegative(),
  /** Blind index of the patient. */
  patient: indexSchema,
  /** Of the patient's number without its issuer: identity events may name it so. */
  bare: indexSchema.optional(),
  /** Blind indexes of the studies that were the patient's then. */
  studies: z.array(indexSchema),
  /** The results register goes too. */
  results: z.boolean(),
});
export type Erasure = z.infer<typeof erasureSchema>;
const lineSchema = z.strictObject({ erasure: erasureSchema, mac: indexSchema });

export function erasureListPath(vaultPath: string): string {
  return `${vaultPath}.erasures`;
}

export class ErasureList {
  readonly #key: Buffer;

  constructor(
    private readonly path: string,
    index: BlindIndex,
  ) {
    this.#key = index.derivedKey('erasures');
  }

  /** Durable on return. */
  append(erasure: Omit<Erasure, 'id'>): Erasure {
    const complete = { id: randomUUID(), ...erasure };
    this.#write([complete]);
    return complete;
  }

  /** Takes over what another list has and this one has not. */
  merge(other: ErasureList): void {
    const known = new Set(this.all().map(({ id }) => id));
    this.#write(other.all().filter(({ id }) => !known.has(id)));
  }

  /** Oldest first. UNTRUSTED when a line is not of this site. */
  all(): Erasure[] {
    const lines = this.#text()
      .split('\n')
      .filter((line) => line !== '');
    return lines.map((line) => this.#erasureOf(line));
  }

  #erasureOf(line: string): Erasure {
    const parsed = lineSchema.safeParse(parsedJson(line));
    if (!parsed.success) throw new AifiError('UNTRUSTED', 'the erasure list is damaged');
    const { erasure, mac } = parsed.data;
    const isOurs = timingSafeEqual(Buffer.from(mac, 'hex'), this.#macOf(erasure));
    if (!isOurs) throw new AifiError('UNTRUSTED', 'the erasure list is of another site');
    return erasure;
  }

  #macOf(erasure: Erasure): Buffer {
    return createHmac('sha256', this.#key).update(canonicalJson(erasure)).digest();
  }

  #text(): string {
    try {
      return readFileSync(this.path, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
      throw fileFault(error);
    }
  }

  /** Whole and durable under its name, or as before. */
  #write(erasures: readonly Erasure[]): void {
    if (erasures.length === 0) return;
    const lines = erasures.map((erasure) => {
      const mac = this.#macOf(erasure).toString('hex');
      return `${canonicalJson({ erasure, mac })}\n`;
    });
    const next = `${this.path}.part`;
    try {
      writeSynced(next, `${this.#text()}${lines.join('')}`);
      renameSync(next, this.path);
      syncFolder(dirname(this.path));
    } catch (error) {
      throw fileFault(error);
    }
  }
}

function writeSynced(path: string, text: string): void {
  const file = openSync(path, 'w', 0o600);
  try {
    writeFileSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function syncFolder(folder: string): void {
  const handle = openSync(folder, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

function parsedJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
