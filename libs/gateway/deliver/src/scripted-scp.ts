/**
 * ScriptedScp: a PACS over TCP with scripted answers, for the suites of this library; not exported.
 * Decides what it lists: the study of one patient, and what it took. Rejections and cut connections
 * are played in front of it, on the wire. Source: PS3.8 9.3.4 (A-ASSOCIATE-RJ).
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import {
  startStoreScp,
  storeVerdict,
  type Identifier,
  type RunningScp,
  type StoreRequest,
  type StoreSink,
} from '@aifi/dicom-dimse';
import { MATCH } from './fake-pacs.js';

/** Bytes of an object that pass before the connection is cut. */
const CUT_AFTER_BYTES = 20_000;

/** What becomes of a C-STORE; 'lose': Success, and not stored. */
export type ScpAnswer = number | 'lose';
/** What becomes of a connection. 'cut': reset in the middle of an object. */
export type Wire = 'pass' | 'cut' | { readonly reject: readonly [number, number, number] };

export class ScriptedScp {
  answer: (request: StoreRequest) => ScpAnswer = () => 0;
  wire: Wire = 'pass';
  /** Digest of the dataset by SOP Instance UID. */
  readonly listed = new Map<string, string>();
  /** Every C-STORE that came to its end, by SOP Instance UID. */
  readonly stores: string[] = [];
  connections = 0;
  readonly #open = new Set<Socket>();
  #scp: RunningScp | undefined;
  #front: Server | undefined;

  /** Its port. */
  async start(aeTitle: string): Promise<number> {
    this.#scp = await startStoreScp({
      ...{ host: '127.0.0.1', port: 0, aeTitle, callers: 'any' },
      handler: { begin: (request) => this.#begin(request) },
      find: async (query) => this.#find(query),
    });
    this.#front = createServer((socket) => this.#connect(socket));
    this.#front.listen(0, '127.0.0.1');
    await once(this.#front, 'listening');
    return (this.#front.address() as AddressInfo).port;
  }
  async stop(): Promise<void> {
    for (const socket of this.#open) socket.destroy();
    this.#front?.close();
    await this.#scp?.close();
  }

  #connect(socket: Socket): void {
    this.connections += 1;
    this.#open.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => this.#open.delete(socket));
    if (typeof this.wire === 'object') {
      const [result, source, reason] = this.wire.reject;
      const rejection = Buffer.from([3, 0, 0, 0, 0, 4, 0, result, source, reason]);
      socket.once('data', () => socket.end(rejection));
      return;
    }
    const isCut = this.wire === 'cut';
    const behind = connect(this.#scp!.port, '127.0.0.1');
    behind.on('error', () => socket.destroy());
    behind.once('close', () => socket.destroy());
    socket.once('close', () => behind.destroy());
    let bytes = 0;
    socket.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (isCut && bytes > CUT_AFTER_BYTES) socket.resetAndDestroy();
      else behind.write(chunk);
    });
    behind.pipe(socket);
  }

  #begin(request: StoreRequest): StoreSink {
    const hash = createHash('sha256');
    const uid = request.affectedSopInstanceUid;
    return {
      write: (chunk) => void hash.update(chunk),
      end: async () => {
        this.stores.push(uid);
        const answer = this.answer(request);
        if (answer === 'lose') return 0;
        if (storeVerdict(answer) === 'stored') this.listed.set(uid, hash.digest('hex'));
        return answer;
      },
      abort: async () => undefined,
    };
  }
  #find(query: Identifier): Identifier[] {
    const { StudyInstanceUID = '', SOPInstanceUID: instance } = query;
    if (query['QueryRetrieveLevel'] === 'STUDY') {
      const { patientId, patientBirthDate } = MATCH;
      const patient = { PatientID: patientId, PatientBirthDate: patientBirthDate };
      return [{ QueryRetrieveLevel: 'STUDY', StudyInstanceUID, ...patient }];
    }
    if (instance === undefined || !this.listed.has(instance)) return [];
    return [{ QueryRetrieveLevel: 'IMAGE', StudyInstanceUID, SOPInstanceUID: instance }];
  }
}
