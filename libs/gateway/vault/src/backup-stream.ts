/**
 * The form of a backup: a file encrypted in chunks under a key of its own.
 * Decides its layout and when it is believed: all chunks, in their order, and the last one marked.
 * Invariants: memory holds one chunk; a changed, cut, longer or rearranged file is UNTRUSTED and
 * nothing of it comes into use; the key is random for each backup, so its counter is a safe nonce.
 * Source: security specification 8 (backups encrypted); NIST SP 800-38D 8.2.1; the STREAM
 * construction (Hoang, Reyhanitabar, Rogaway, Vizár, CRYPTO 2015).
 * Layout: magic (8), header length (uint32 BE), header (JSON), then chunks: length with the top bit
 * for the last one (uint32 BE), ciphertext, tag (16). Unit: bytes.
 */
import { createCipheriv, createDecipheriv, createHash } from 'node:crypto';
import { open, type FileHandle } from 'node:fs/promises';
import { AifiError, DurableWriter, fileFault, type DurableFile } from '@aifi/shared-kernel';

const MAGIC = Buffer.from('AIFIVLT1');
const LENGTH_BYTES = 4;
const TAG_BYTES = 16;
const NONCE_BYTES = 12;
const CHUNK_BYTES = 256 * 1024;
const HEADER_BYTES_MAX = 64 * 1024;
const LAST = 0x8000_0000;

function prefixOf(header: Uint8Array): Buffer {
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt32BE(header.length);
  return Buffer.concat([MAGIC, length, header]);
}

/** Nonce: the chunk's number. Associated data: what stands before, and whether it is the last. */
function chunkTerms(prefix: Uint8Array, index: number, isLast: boolean) {
  const nonce = Buffer.alloc(NONCE_BYTES);
  nonce.writeBigUInt64BE(BigInt(index), NONCE_BYTES - 8);
  const digest = createHash('sha256').update(prefix).digest();
  return { nonce, associated: Buffer.concat([digest, Buffer.from([isLast ? 1 : 0])]) };
}

/** Encrypts the file `source` to `path`; durable on return. */
export async function writeBackup(
  source: string,
  path: string,
  { header, key }: { readonly header: Uint8Array; readonly key: Uint8Array },
): Promise<DurableFile> {
  const prefix = prefixOf(header);
  const folder = path.slice(0, path.lastIndexOf('/') + 1) || '.';
  const [input, writer] = [await open(source, 'r'), await DurableWriter.open(folder)];
  try {
    await writer.append(prefix);
    const { size } = await input.stat();
    const chunks = Math.max(1, Math.ceil(size / CHUNK_BYTES));
    for (let index = 0; index < chunks; index++) {
      const isLast = index === chunks - 1;
      const wanted = isLast ? size - index * CHUNK_BYTES : CHUNK_BYTES;
      const plain = await exactly(input, wanted);
      const { nonce, associated } = chunkTerms(prefix, index, isLast);
      const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(associated);
      const length = Buffer.alloc(LENGTH_BYTES);
      length.writeUInt32BE((plain.length | (isLast ? LAST : 0)) >>> 0);
      const sealed = [cipher.update(plain), cipher.final(), cipher.getAuthTag()];
      await writer.append(Buffer.concat([length, ...sealed]));
    }
    return await writer.commit(path);
  } catch (error) {
    await writer.discard();
    throw fileFault(error);
  } finally {
    await input.close();
  }
}

/** An open backup: its header can be read before its key is known. */
export class BackupReader {
  private constructor(
    private readonly input: FileHandle,
    private readonly prefix: Buffer,
    readonly header: Buffer,
  ) {}

  static async open(path: string): Promise<BackupReader> {
    const input = await open(path, 'r').catch((cause: unknown) => {
      throw new AifiError('NOT_FOUND', 'the backup cannot be read', { cause });
    });
    try {
      const start = await exactly(input, MAGIC.length + LENGTH_BYTES);
      const length = start.readUInt32BE(MAGIC.length);
      const isOurs = start.subarray(0, MAGIC.length).equals(MAGIC) && length <= HEADER_BYTES_MAX;
      if (!isOurs) throw new AifiError('UNTRUSTED', 'not a backup of a vault');
      const header = await exactly(input, length);
      return new BackupReader(input, Buffer.concat([start, header]), header);
    } catch (error) {
      await input.close();
      throw error;
    }
  }

  /** Decrypts to `path`, which is there only when every chunk was believed. */
  async restoreTo(path: string, key: Uint8Array): Promise<DurableFile> {
    const writer = await DurableWriter.open(path.slice(0, path.lastIndexOf('/') + 1) || '.');
    try {
      for (let index = 0, isLast = false; !isLast; index++) {
        const length = (await exactly(this.input, LENGTH_BYTES)).readUInt32BE();
        isLast = length >= LAST;
        await writer.append(await this.#chunk(key, { index, isLast, size: length % LAST }));
      }
      const { bytesRead } = await this.input.read(Buffer.alloc(1));
      if (bytesRead > 0) throw new AifiError('UNTRUSTED', 'the backup goes on after its end');
      return await writer.commit(path);
    } catch (error) {
      await writer.discard();
      throw error;
    }
  }

  async #chunk(
    key: Uint8Array,
    { index, isLast, size }: { readonly index: number; isLast: boolean; size: number },
  ): Promise<Buffer> {
    if (size > CHUNK_BYTES) throw new AifiError('UNTRUSTED', 'the backup is damaged');
    const sealed = await exactly(this.input, size + TAG_BYTES);
    const { nonce, associated } = chunkTerms(this.prefix, index, isLast);
    const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
    decipher.setAAD(associated).setAuthTag(sealed.subarray(size));
    try {
      return Buffer.concat([decipher.update(sealed.subarray(0, size)), decipher.final()]);
    } catch (error) {
      throw new AifiError('UNTRUSTED', 'the backup is damaged', { cause: error });
    }
  }

  close(): Promise<void> {
    return this.input.close();
  }
}

/** UNTRUSTED when the file ends before. */
async function exactly(input: FileHandle, sizeBytes: number): Promise<Buffer> {
  const bytes = Buffer.alloc(sizeBytes);
  for (let offset = 0; offset < sizeBytes;) {
    const { bytesRead } = await input.read(bytes, offset);
    if (bytesRead === 0) throw new AifiError('UNTRUSTED', 'the backup is cut short');
    offset += bytesRead;
  }
  return bytes;
}
