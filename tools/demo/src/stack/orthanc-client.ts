/**
 * OrthancClient: what the demo and its tests ask a hospital's PACS over REST.
 * Decides nothing about content. The pacs-simulator answers the same routes.
 * Source: Orthanc Book, REST API (/instances, /modalities/{name}/store, /tools/lookup).
 */
import { AifiError } from '@aifi/shared-kernel';

export interface PacsInstance {
  /** The PACS's own identifier. */
  readonly id: string;
  readonly sopInstanceUid: string;
}

export class OrthancClient {
  constructor(readonly restUrl: string) {}

  /** True when the server answers. */
  async isUp(): Promise<boolean> {
    try {
      return (await fetch(`${this.restUrl}/system`)).ok;
    } catch {
      return false;
    }
  }
  /** Stores one Part 10 file, as a modality would. */
  async upload(part10: Uint8Array): Promise<void> {
    const headers = { 'Content-Type': 'application/dicom' };
    await this.#request('/instances', { method: 'POST', headers, body: Buffer.from(part10) });
  }
  /** Asks the PACS to C-STORE a whole study to a modality; returns before it is done. */
  async send(studyInstanceUid: string, modality: string): Promise<void> {
    const studyId = await this.findOne('Study', studyInstanceUid);
    if (!studyId) throw new AifiError('NOT_FOUND', 'the PACS does not have the study');
    const body = JSON.stringify({ Resources: [studyId], Synchronous: false });
    await this.#request(`/modalities/${modality}/store`, { method: 'POST', body });
  }
  /** The PACS's identifier of a Study, Series or Instance. */
  async findOne(level: string, uid: string): Promise<string | undefined> {
    return (await this.find(level, uid))[0];
  }
  /** All resources of that level with this UID: one, unless something is wrong. */
  async find(level: string, uid: string): Promise<string[]> {
    const found = await this.#json<{ ID: string; Type: string }[]>('/tools/lookup', {
      method: 'POST',
      body: uid,
    });
    return found.filter(({ Type }) => Type === level).map(({ ID }) => ID);
  }
  async instancesOf(studyInstanceUid: string): Promise<PacsInstance[]> {
    const studyId = await this.findOne('Study', studyInstanceUid);
    if (!studyId) return [];
    const rows = await this.#json<{ ID: string; MainDicomTags: Record<string, string> }[]>(
      `/studies/${studyId}/instances`,
    );
    return rows.map(({ ID, MainDicomTags }) => ({
      id: ID,
      sopInstanceUid: MainDicomTags['SOPInstanceUID'] ?? '',
    }));
  }
  /** The stored file, byte by byte. */
  async file(instanceId: string): Promise<Buffer> {
    const response = await this.#request(`/instances/${instanceId}/file`);
    return Buffer.from(await response.arrayBuffer());
  }

  async #json<T>(path: string, init?: RequestInit): Promise<T> {
    return (await (await this.#request(path, init)).json()) as T;
  }
  async #request(path: string, init?: RequestInit): Promise<Response> {
    const response = await fetch(`${this.restUrl}${path}`, init);
    if (response.ok) return response;
    await response.body?.cancel();
    throw new AifiError('PEER_REFUSED', `the PACS answered ${response.status}`);
  }
}
