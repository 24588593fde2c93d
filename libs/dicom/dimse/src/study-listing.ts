/**
 * What a PACS lists of one study: its series, and the instances of each, on one association.
 * Decides the keys, and that a PACS which does not answer at IMAGE level is believed by its counts.
 * Invariants: bounded answers, fewer is a fault and never a short list; no patient attribute is
 * asked for. Source: PS3.4 C.6.2.1 (Study Root: a key of each level above is required).
 */
import {
  DicomDataset,
  EXPLICIT_VR_LITTLE_ENDIAN,
  IMPLICIT_VR_LITTLE_ENDIAN,
} from '@aifi/dicom-core';
import { AifiError } from '@aifi/shared-kernel';
import type { DimseScuOptions } from './dimse-scu.js';
import { findOn } from './find-exchange.js';
import { STUDY_ROOT_FIND_SOP_CLASS } from './library-scp.js';
import { peerFaultOf, PeerStatus } from './peer-fault.js';
import { ScuAssociation } from './scu-association.js';

export interface ListedObject {
  readonly sopInstanceUid: string;
  /** Empty where the PACS does not tell. */
  readonly sopClassUid: string;
}
export interface ListedSeries {
  readonly seriesInstanceUid: string;
  /** As the PACS counts; undefined where it does not. */
  readonly instances: number | undefined;
  /** Undefined where the PACS does not list them. */
  readonly objects: readonly ListedObject[] | undefined;
}
export interface ListingLimits {
  readonly seriesMax: number;
  readonly instancesMax: number;
}

const TIMEOUT_MS = 30_000;
/** A list of a large study on a slow PACS. @unit ms */
const TOTAL_MS = 300_000;
const UNCOMPRESSED = [EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN];

/** Empty: the PACS has no such study. LIMIT_EXCEEDED for more than may be listed. */
export function listStudy(
  options: DimseScuOptions,
  studyInstanceUid: string,
  { seriesMax, instancesMax }: ListingLimits,
): Promise<ListedSeries[]> {
  const { clock, timeoutMs: idleMs = TIMEOUT_MS } = options;
  const context = {
    abstractSyntaxUid: STUDY_ROOT_FIND_SOP_CLASS,
    transferSyntaxUids: UNCOMPRESSED,
  };
  const limits = { idleMs, totalMs: Math.max(idleMs, TOTAL_MS) };
  return ScuAssociation.run(options, context, { clock, limits }, async (to) => {
    const listed: ListedSeries[] = [];
    let left = instancesMax;
    let messageId = 1;
    const ask = async (query: DicomDataset, matchesMax: number): Promise<DicomDataset[]> => {
      const { matches, isWhole } = await findOn(to, query, { matchesMax, messageId });
      messageId += 1;
      if (!isWhole) throw new Overfull();
      return [...matches];
    };
    for (const match of await ask(seriesQuery(studyInstanceUid), seriesMax)) {
      const seriesInstanceUid = uidOf(match, 'SeriesInstanceUID');
      if (seriesInstanceUid === '') continue;
      const objects = await objectsOf(() =>
        ask(instanceQuery(studyInstanceUid, seriesInstanceUid), left),
      );
      left -= objects?.length ?? 0;
      const instances = countOf(match, 'NumberOfSeriesRelatedInstances');
      listed.push({ seriesInstanceUid, instances, objects });
    }
    return listed;
  }).catch((error: unknown) => {
    throw error instanceof Overfull
      ? new AifiError('LIMIT_EXCEEDED', 'the study has too much')
      : error;
  });
}

/** More than may be listed; meant for this file. */
class Overfull extends Error {}

/** A PACS that says no to the question, or knows none of a series it lists, counts at best. */
async function objectsOf(
  ask: () => Promise<DicomDataset[]>,
): Promise<readonly ListedObject[] | undefined> {
  try {
    const objects = (await ask())
      .map((match) => ({
        sopInstanceUid: uidOf(match, 'SOPInstanceUID'),
        sopClassUid: uidOf(match, 'SOPClassUID'),
      }))
      .filter(({ sopInstanceUid }) => sopInstanceUid !== '');
    return objects.length === 0 ? undefined : objects;
  } catch (error) {
    if (peerFaultOf(error) instanceof PeerStatus) return undefined;
    throw error;
  }
}

const seriesQuery = (study: string): DicomDataset =>
  new DicomDataset()
    .setString('QueryRetrieveLevel', 'SERIES')
    .setString('StudyInstanceUID', study)
    .setString('SeriesInstanceUID', '')
    .setString('NumberOfSeriesRelatedInstances', '');

const instanceQuery = (study: string, series: string): DicomDataset =>
  new DicomDataset()
    .setString('QueryRetrieveLevel', 'IMAGE')
    .setString('StudyInstanceUID', study)
    .setString('SeriesInstanceUID', series)
    .setString('SOPInstanceUID', '')
    .setString('SOPClassUID', '');

/** Empty for what is absent or does not read. */
function uidOf(match: DicomDataset, keyword: string): string {
  try {
    return match.string(keyword) ?? '';
  } catch {
    return '';
  }
}

function countOf(match: DicomDataset, keyword: string): number | undefined {
  const text = uidOf(match, keyword).trim();
  return /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}
