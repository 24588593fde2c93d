/**
 * Relay: a Unix socket in the gateway's own folder whose other end is the hub, through the proxy.
 * Decides how grpc-js, which knows no authenticated or encrypted proxy, gets one: it dials the
 * socket and speaks TLS with the hub itself; the relay moves encrypted bytes and reads none.
 * Invariants: only this user reaches the socket (folder of mode 700); a tunnel that does not come
 * up ends the connection at once; nothing is buffered beyond the sockets' own limits.
 */
import { rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import type { AifiError } from '@aifi/shared-kernel';

/** Connections of one gateway at a time: channels of a few swaps. */
const CONNECTIONS_MAX = 32;
/** Longest name of a Unix socket, sun_path less its end. @unit bytes */
const PATH_BYTES_MAX = 107;

export interface RelayOptions {
  /** Mode 700, exists. */
  readonly folder: string;
  readonly openTunnel: (signal: AbortSignal) => Promise<Socket>;
  readonly onFault: (fault: unknown) => void;
}
export interface Relay {
  /** As grpc-js names it. */
  readonly target: string;
  close(): Promise<void>;
}

/** Where the socket lies; relative to the working folder when the whole path is too long. */
export function relayPath(folder: string, workingFolder: string): string {
  const path = join(folder, 'relay.sock');
  if (Buffer.byteLength(path) <= PATH_BYTES_MAX) return path;
  const prefix = `${workingFolder}/`;
  return path.startsWith(prefix) ? path.slice(prefix.length) : path;
}

export async function startRelay(options: RelayOptions): Promise<Relay> {
  const path = relayPath(options.folder, process.cwd());
  // Left by a process that was killed; nobody else may enter this folder.
  rmSync(path, { force: true });
  const closing = new AbortController();
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (near) => {
    sockets.add(near);
    near.once('close', () => sockets.delete(near));
    near.on('error', () => near.destroy());
    serve(near, options, closing.signal).catch((error: AifiError) => {
      near.destroy();
      if (!closing.signal.aborted) options.onFault(error);
    });
  });
  server.maxConnections = CONNECTIONS_MAX;
  await listen(server, path);
  const close = async (): Promise<void> => {
    closing.abort();
    for (const socket of sockets) socket.destroy();
    await new Promise((done) => server.close(done));
  };
  return { target: path.startsWith('/') ? `unix://${path}` : `unix:${path}`, close };
}

async function serve(near: Socket, options: RelayOptions, signal: AbortSignal): Promise<void> {
  const far = await options.openTunnel(signal);
  if (near.destroyed) return void far.destroy();
  far.on('error', () => near.destroy());
  far.once('close', () => near.destroy());
  near.once('close', () => far.destroy());
  far.pipe(near);
  near.pipe(far);
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => resolve());
  });
}
