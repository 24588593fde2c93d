/**
 * Command sets of our answers: C-STORE-RSP and N-EVENT-REPORT-RSP, as one P-DATA-TF each.
 * Decides their fields. Written by hand: encoding an answer through a dataset of objects costs as
 * much as receiving the image that it answers.
 * Source: PS3.7 9.3.1.2, 10.3.1.2 and annex E; PS3.8 9.3.5.
 */
import { PDU_HEADER_BYTES, PDU_TYPE, PDV_HEADER_BYTES } from './pdu.js';

/** Command Field (0000,0100) of what is answered here, PS3.7 E.1. */
export const RESPONSE_FIELD = { store: 0x8001, eventReport: 0x8100 } as const;
const NO_DATASET = 0x0101;
/** Tag and length of an element in Implicit VR. */
const ELEMENT_HEADER_BYTES = 8;
const US_BYTES = ELEMENT_HEADER_BYTES + 2;

export interface DimseResponse {
  readonly field: number;
  readonly contextId: number;
  /** Message ID of the request. */
  readonly messageId: number;
  readonly status: number;
  readonly affectedSopClassUid: string;
  readonly affectedSopInstanceUid: string;
  /** Event Type ID of an N-EVENT-REPORT. */
  readonly eventTypeId?: number | undefined;
}

const uidBytes = (uid: string): number => ELEMENT_HEADER_BYTES + uid.length + (uid.length % 2);

/** Writes elements of group 0000 one after the other. */
class CommandWriter {
  constructor(
    private readonly buffer: Buffer,
    private at: number,
  ) {}

  #header(element: number, length: number): void {
    this.at = this.buffer.writeUInt16LE(0x0000, this.at);
    this.at = this.buffer.writeUInt16LE(element, this.at);
    this.at = this.buffer.writeUInt32LE(length, this.at);
  }
  uint32(element: number, value: number): this {
    this.#header(element, 4);
    this.at = this.buffer.writeUInt32LE(value, this.at);
    return this;
  }
  uint16(element: number, value: number): this {
    this.#header(element, 2);
    this.at = this.buffer.writeUInt16LE(value, this.at);
    return this;
  }
  uid(element: number, value: string): this {
    const length = value.length + (value.length % 2);
    this.#header(element, length);
    this.buffer.write(value, this.at, 'latin1');
    this.at += length;
    return this;
  }
}

/** The answer as a whole PDU. */
export function encodeResponsePdu(response: DimseResponse): Buffer {
  const { affectedSopClassUid, affectedSopInstanceUid, eventTypeId } = response;
  const events = eventTypeId === undefined ? 0 : US_BYTES;
  const groupBytes =
    uidBytes(affectedSopClassUid) + 4 * US_BYTES + uidBytes(affectedSopInstanceUid) + events;
  const commandBytes = ELEMENT_HEADER_BYTES + 4 + groupBytes;
  const headBytes = PDU_HEADER_BYTES + PDV_HEADER_BYTES;
  // Zeros: the padding of a UID is NUL.
  const pdu = Buffer.alloc(headBytes + commandBytes);
  pdu[0] = PDU_TYPE.data;
  pdu.writeUInt32BE(PDV_HEADER_BYTES + commandBytes, 2);
  pdu.writeUInt32BE(2 + commandBytes, PDU_HEADER_BYTES);
  pdu[PDU_HEADER_BYTES + 4] = response.contextId;
  // The last fragment of a command.
  pdu[PDU_HEADER_BYTES + 5] = 3;
  const writer = new CommandWriter(pdu, headBytes)
    .uint32(0x0000, groupBytes)
    .uid(0x0002, affectedSopClassUid)
    .uint16(0x0100, response.field)
    .uint16(0x0120, response.messageId)
    .uint16(0x0800, NO_DATASET)
    .uint16(0x0900, response.status)
    .uid(0x1000, affectedSopInstanceUid);
  if (eventTypeId !== undefined) writer.uint16(0x1002, eventTypeId);
  return pdu;
}
