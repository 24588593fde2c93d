/**
 * Way: two Orthancs of which the first anonymises and sends to the second, by hand or by a script.
 * Decides that both have their usual durability, that they speak HTTP, which costs them no
 * encryption, and that the script does its work while the study is still being received.
 * Source: Orthanc Book, anonymization, peers (REST), auto-routing (Lua).
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { AifiError } from '@aifi/shared-kernel';
import { freePorts } from '@aifi/shared-testing';
import { prepareOrthanc } from '../../../../deploy/services/orthanc/start.mjs';
import { processorMs, residentPeaks } from '../process-tree.js';
import type { CtObjects, SentObject } from '../receive/ct-objects.js';
import { ended, listening, tied } from '../receive/receiver.js';
import { PDU_BYTES, send } from '../receive/sender.js';
import type { PathCost, PathWay } from './path-way.js';

const AE_TITLE = 'ORTHANC';
/** Name of the second one among the peers of the first. */
const PEER = 'far';
/** @unit ms */
const LOOK_MS = 20;
const ARRIVE_MS_MAX = 180_000;

/**
 * Each instance as it comes, anonymised with the profile of Orthanc; the study keeps one UID, as
 * a study that is sent by hand does. What was made for sending is removed, as the Book does.
 */
const ROUTING_AT_ONCE = `
local studies = {}
local serieses = {}
local count = 0
local function uid(known, original)
  if known[original] == nil then
    count = count + 1
    known[original] = string.format('2.25.%d%04d', os.time(), count)
  end
  return known[original]
end
function OnStoredInstance(instanceId, tags, metadata, origin)
  if origin['RequestOrigin'] ~= 'DicomProtocol' then return end
  local order = { Force = true, Replace = {
    PatientID = 'ANONYMOUS', PatientName = 'ANONYMOUS',
    StudyInstanceUID = uid(studies, tags['StudyInstanceUID']),
    SeriesInstanceUID = uid(serieses, tags['SeriesInstanceUID']) } }
  local made = RestApiPost('/instances/' .. instanceId .. '/anonymize', DumpJson(order, true))
  local stored = ParseJson(RestApiPost('/instances', made))
  Delete(SendToPeer(stored['ID'], '${PEER}'))
end
`;

async function json<T>(url: string, method = 'GET', body?: string): Promise<T> {
  const response = await fetch(url, { method, ...(body !== undefined && { body }) });
  if (!response.ok) throw new AifiError('PEER_REFUSED', `orthanc answers ${response.status}`);
  return (await response.json()) as T;
}

interface Running {
  readonly process: ChildProcess;
  readonly url: string;
  readonly dicomPort: number;
}

async function start(
  folder: string,
  settings: Readonly<Record<string, unknown>>,
): Promise<Running> {
  const [dicomPort, httpPort] = (await freePorts(2)) as [number, number];
  mkdirSync(folder, { recursive: true });
  const { command, ...prepared } = prepareOrthanc({
    ...{ folder, aeTitle: AE_TITLE, dicomPort, httpPort, modalities: [] },
    settings: { MaximumPduLength: PDU_BYTES, ...settings },
  });
  const env = { ...process.env, TCP_NODELAY: '1' };
  const child = tied(spawn(command, prepared.arguments, { env, stdio: 'ignore' }));
  await listening(dicomPort);
  await listening(httpPort);
  return { process: child, url: prepared.restUrl, dicomPort };
}

const countAt = async ({ url }: Running): Promise<number> =>
  (await json<{ CountInstances: number }>(`${url}/statistics`)).CountInstances;

interface Kind {
  readonly how: string;
  readonly script?: string;
}
const KINDS = {
  sequential: {
    how: 'the study is anonymised and sent to a peer (REST) when it has been received',
  },
  'auto-routed': {
    how: 'a script anonymises each instance and sends it to a peer as it comes (Lua)',
    script: ROUTING_AT_ONCE,
  },
} satisfies Readonly<Record<string, Kind>>;
export type OrthancKind = keyof typeof KINDS;
export const ORTHANC_KINDS = Object.keys(KINDS) as readonly OrthancKind[];

export class OrthancWay implements PathWay {
  private constructor(
    private readonly kind: OrthancKind,
    private readonly near: Running,
    private readonly far: Running,
  ) {}

  static async start(parent: string, kind: OrthancKind): Promise<OrthancWay> {
    const { script }: Kind = KINDS[kind];
    const folder = join(parent, `orthanc-${kind}`);
    mkdirSync(folder, { recursive: true });
    const far = await start(join(folder, 'far'), {});
    try {
      const file = join(folder, 'auto-routing.lua');
      writeFileSync(file, script ?? '');
      const near = await start(join(folder, 'near'), {
        OrthancPeers: { [PEER]: { Url: far.url } },
        LuaScripts: script === undefined ? [] : [file],
      });
      return new OrthancWay(kind, near, far);
    } catch (error) {
      await ended(far.process, 'SIGTERM');
      throw error;
    }
  }

  get facts() {
    return {
      name: `Orthancs, ${this.kind}`,
      how: `${KINDS[this.kind].how}; HTTP without TLS, every file synced at both, rows in SQLite`,
    };
  }

  async measure(objects: CtObjects, sent: readonly SentObject[]): Promise<PathCost> {
    const { near, far } = this;
    const before = [processorMs(near.process.pid!), processorMs(far.process.pid!)] as const;
    const to = { aeTitle: AE_TITLE, port: near.dicomPort };
    const { accepted, startMs } = await send([objects.folders], to);
    if (accepted !== sent.length) throw new AifiError('PEER_REFUSED', 'objects were refused');
    if (this.kind === 'sequential') await this.#anonymiseAndSend();
    await this.#untilThere(sent.length);
    const seconds = (performance.now() - startMs) / 1_000;
    const cost = {
      ...{ seconds, secondsWithoutQuiet: seconds },
      nearProcessorMs: processorMs(near.process.pid!) - before[0],
      farProcessorMs: processorMs(far.process.pid!) - before[1],
      nearResidentPeaks: [...residentPeaks(near.process.pid!).values()],
    };
    await this.#clear();
    return cost;
  }

  async stop(): Promise<void> {
    await ended(this.near.process, 'SIGTERM');
    await ended(this.far.process, 'SIGTERM');
  }

  async #anonymiseAndSend(): Promise<void> {
    const { url } = this.near;
    const [study] = await json<string[]>(`${url}/studies`);
    const made = await json<{ ID: string }>(`${url}/studies/${study}/anonymize`, 'POST', '{}');
    await json(`${url}/peers/${PEER}/store`, 'POST', made.ID);
  }

  async #untilThere(count: number): Promise<void> {
    for (const endMs = performance.now() + ARRIVE_MS_MAX; performance.now() < endMs;) {
      if ((await countAt(this.far)) === count) return;
      await pause(LOOK_MS);
    }
    throw new AifiError('DIGEST_MISMATCH', 'orthanc: objects are missing at the second one');
  }

  async #clear(): Promise<void> {
    for (const one of [this.near, this.far]) {
      // The script still removes what it sent: a study may be gone before its turn.
      for (let left = await countAt(one); left > 0; left = await countAt(one)) {
        for (const study of await json<string[]>(`${one.url}/studies`)) {
          await fetch(`${one.url}/studies/${study}`, { method: 'DELETE' });
        }
        await pause(LOOK_MS);
      }
    }
  }
}
