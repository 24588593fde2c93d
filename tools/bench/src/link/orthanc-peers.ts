/**
 * Two Orthancs of which one sends a study to the other, for the link bench.
 * Decides that they speak HTTP, which costs them no encryption, that the study is in the first one
 * already, and that the sending alone is timed. Source: Orthanc Book, peers (REST).
 */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { AifiError } from '@aifi/shared-kernel';
import { freePorts } from '@aifi/shared-testing';
import { DicomDataset, encodePart10 } from '@aifi/dicom-core';
import { prepareOrthanc } from '../../../../deploy/services/orthanc/start.mjs';
import { processorMs } from '../process-tree.js';
import { randomUid } from '../receive/ct-objects.js';
import { ended, listening, tied } from '../receive/receiver.js';
import type { LinkFiles } from './link-objects.js';

const SECONDARY_CAPTURE = '1.2.840.10008.5.1.4.1.1.7';

interface Sending {
  readonly seconds: number;
  readonly receiverProcessorMs: number;
  readonly senderProcessorMs: number;
}

/** An object of about the size of the file: bytes in a box that Orthanc takes apart. */
function instance(bytes: Buffer, study: string, series: string): Buffer {
  return encodePart10(
    new DicomDataset()
      .setString('SOPClassUID', SECONDARY_CAPTURE)
      .setString('SOPInstanceUID', randomUid())
      .setString('PatientID', 'BENCH-1')
      .setString('StudyInstanceUID', study)
      .setString('SeriesInstanceUID', series)
      .setString('Modality', 'OT')
      .setNumbers('SamplesPerPixel', [1])
      .setString('PhotometricInterpretation', 'MONOCHROME2')
      .setNumbers('Rows', [bytes.length / 1_000])
      .setNumbers('Columns', [1_000])
      .setNumbers('BitsAllocated', [8])
      .setNumbers('BitsStored', [8])
      .setNumbers('HighBit', [7])
      .setNumbers('PixelRepresentation', [0])
      .setBytes('PixelData', bytes, 'OB'),
  );
}

async function json<T>(url: string, method = 'GET', body?: string | Uint8Array): Promise<T> {
  const response = await fetch(url, {
    method,
    ...(body !== undefined && { body: body as string }),
  });
  if (!response.ok) throw new AifiError('PEER_REFUSED', `orthanc answers ${response.status}`);
  return (await response.json()) as T;
}

export class OrthancPeers {
  private constructor(
    private readonly sender: ChildProcess,
    private readonly receiver: ChildProcess,
    private readonly senderUrl: string,
    private readonly receiverUrl: string,
  ) {}

  static async start(folder: string): Promise<OrthancPeers> {
    const [dicomA, httpA, dicomB, httpB] = (await freePorts(4)) as [number, number, number, number];
    const run = (
      name: string,
      ports: readonly [number, number],
      settings: Record<string, unknown>,
    ) => {
      const root = join(folder, name);
      mkdirSync(root, { recursive: true });
      const [dicomPort, httpPort] = ports;
      const own = { folder: root, aeTitle: 'ORTHANC', dicomPort, httpPort, modalities: [] };
      const { command, arguments: args, restUrl } = prepareOrthanc({ ...own, settings });
      return { child: tied(spawn(command, args, { stdio: 'ignore' })), restUrl };
    };
    const receiver = run('orthanc-receiver', [dicomB, httpB], {});
    const sender = run('orthanc-sender', [dicomA, httpA], {
      OrthancPeers: { hub: { Url: receiver.restUrl } },
    });
    await listening(httpA);
    await listening(httpB);
    return new OrthancPeers(sender.child, receiver.child, sender.restUrl, receiver.restUrl);
  }

  async measure(files: LinkFiles): Promise<Sending> {
    const [study, series] = [randomUid(), randomUid()];
    let id = '';
    for (const { path } of files.renew()) {
      const bytes = instance(readFileSync(path), study, series);
      const url = `${this.senderUrl}/instances`;
      id = (await json<{ ParentStudy: string }>(url, 'POST', bytes)).ParentStudy;
    }
    execFileSync('sync');
    const before = [processorMs(this.receiver.pid!), processorMs(this.sender.pid!)] as const;
    const startMs = performance.now();
    await json(`${this.senderUrl}/peers/hub/store`, 'POST', id);
    const seconds = (performance.now() - startMs) / 1_000;
    const receiverProcessorMs = processorMs(this.receiver.pid!) - before[0];
    const senderProcessorMs = processorMs(this.sender.pid!) - before[1];
    const statistics = `${this.receiverUrl}/statistics`;
    const { CountInstances: count } = await json<{ CountInstances: number }>(statistics);
    if (count !== files.count) throw new AifiError('DIGEST_MISMATCH', 'orthanc: missing objects');
    for (const one of await json<string[]>(`${this.receiverUrl}/studies`)) {
      await json(`${this.receiverUrl}/studies/${one}`, 'DELETE');
    }
    await json(`${this.senderUrl}/studies/${id}`, 'DELETE');
    return { seconds, receiverProcessorMs, senderProcessorMs };
  }

  async stop(): Promise<void> {
    await ended(this.sender, 'SIGTERM');
    await ended(this.receiver, 'SIGTERM');
  }
}
