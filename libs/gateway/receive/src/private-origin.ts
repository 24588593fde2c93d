/**
 * What the gateway's own parts say of objects that they post to the private socket.
 * Decides the header fields and where the socket lies. Invariant: fields that do not read are
 * refused; whoever can open the socket is this user of the machine, so nothing else is asked.
 * Source: architecture 2 (one way in for bytes that do not come by C-STORE).
 */
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { z } from 'zod';
import { aeTitleSchema } from '@aifi/dicom-dimse';
import { AifiError } from '@aifi/shared-kernel';
import type { Admission } from './web-request.js';

/** Ways that are not those of a hospital's peer. */
const originSchema = z.strictObject({
  way: z.enum(['folder', 'retrieved']),
  /** Counts as the calling AE title: the PACS that was asked, or a name of the folder. */
  from: aeTitleSchema,
  lane: z.enum(['acute', 'routine']),
});
export type PrivateOrigin = z.output<typeof originSchema>;

const FIELDS = { way: 'aifi-way', from: 'aifi-from', lane: 'aifi-lane' } as const;
/** `sun_path` of Linux, without its NUL. @unit bytes */
const SOCKET_PATH_BYTES_MAX = 107;

export function intakeFolder(dataFolder: string): string {
  return join(dataFolder, 'intake');
}
/** CONFIG_INVALID where no socket can have such a long name. */
export function intakeSocket(dataFolder: string): string {
  const path = join(intakeFolder(dataFolder), 'store.sock');
  if (Buffer.byteLength(path) > SOCKET_PATH_BYTES_MAX) {
    throw new AifiError('CONFIG_INVALID', 'the name of the data folder is longer than 89 bytes');
  }
  return path;
}

export function fieldsOfOrigin({ way, from, lane }: PrivateOrigin): Record<string, string> {
  return { [FIELDS.way]: way, [FIELDS.from]: from, [FIELDS.lane]: lane };
}
export function privateOriginOf({ headers }: IncomingMessage): Admission {
  const { success, data } = originSchema.safeParse({
    way: headers[FIELDS.way],
    from: headers[FIELDS.from],
    lane: headers[FIELDS.lane],
  });
  if (!success) return { refusal: 403 };
  const { way, from, lane } = data;
  return { callingAeTitle: from, calledAeTitle: '', peerAddress: '', way, lane };
}
