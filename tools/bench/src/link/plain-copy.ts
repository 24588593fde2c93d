/**
 * The yardstick of the link bench: bytes copied over one TLS connection, with nothing else done.
 * Decides the least that a durable copy can be: name and length, bytes into a file, one fdatasync,
 * one octet back; no digest, no rename, no row. The sender does not wait between objects.
 */
import { once } from 'node:events';
import { open, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { connect, type TLSSocket } from 'node:tls';
import type { TlsMaterial } from './link-certificates.js';
import type { LinkObject } from './link-messages.js';

/** Eight octets of length. */
const HEAD_BYTES = 8;
const WRITE_BYTES = 1024 * 1024;
const READ_BYTES = 256 * 1024;

export async function receiveCopy(
  socket: TLSSocket,
  folder: string,
  isSynced: boolean,
): Promise<void> {
  let [file, left, count]: [FileHandle | undefined, number, number] = [undefined, 0, 0];
  let head = Buffer.alloc(0);
  let [held, heldBytes]: [Buffer[], number] = [[], 0];
  const flush = async (): Promise<void> => {
    if (heldBytes > 0) await file!.writev(held);
    [held, heldBytes] = [[], 0];
  };
  for await (const data of socket) {
    for (let bytes = data as Buffer; bytes.length > 0;) {
      if (!file) {
        const missing = HEAD_BYTES - head.length;
        head = Buffer.concat([head, bytes.subarray(0, missing)]);
        bytes = bytes.subarray(missing);
        if (head.length < HEAD_BYTES) continue;
        left = Number(head.readBigUInt64BE());
        head = Buffer.alloc(0);
        file = await open(join(folder, `${(count += 1)}-${process.hrtime.bigint()}`), 'wx');
      }
      const piece = bytes.subarray(0, left);
      bytes = bytes.subarray(piece.length);
      left -= piece.length;
      held.push(piece);
      heldBytes += piece.length;
      if (heldBytes >= WRITE_BYTES) await flush();
      if (left > 0) continue;
      await flush();
      if (isSynced) await file.datasync();
      await file.close();
      file = undefined;
      socket.write('.');
    }
  }
  socket.end();
}

export async function sendCopy(
  port: number,
  material: TlsMaterial,
  objects: readonly LinkObject[],
): Promise<void> {
  const host = '127.0.0.1';
  const socket = connect({ ...material, port, host });
  socket.setNoDelay(true);
  await once(socket, 'secureConnect');
  let answers = 0;
  const done = new Promise<void>((resolve, reject) => {
    socket.on('data', (bytes: Buffer) => {
      answers += bytes.length;
      if (answers === objects.length) resolve();
    });
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('the copy was cut')));
  });
  const write = async (bytes: Buffer): Promise<void> => {
    if (!socket.write(bytes)) await Promise.race([once(socket, 'drain'), done]);
  };
  for (const { path, sizeBytes } of objects) {
    const head = Buffer.alloc(HEAD_BYTES);
    head.writeBigUInt64BE(BigInt(sizeBytes));
    await write(head);
    const file = await open(path);
    for (let at = 0; at < sizeBytes;) {
      const buffer = Buffer.allocUnsafeSlow(Math.min(READ_BYTES, sizeBytes - at));
      const { bytesRead } = await file.read(buffer, 0, buffer.length);
      at += bytesRead;
      await write(buffer.subarray(0, bytesRead));
    }
    await file.close();
  }
  await done;
  socket.end();
}
