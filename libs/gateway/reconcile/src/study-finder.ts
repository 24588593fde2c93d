/**
 * StudyFinder: what reconciliation asks of a PACS, and how it is asked by C-FIND.
 * Decides the keys: at STUDY and SERIES level what routing rules read, and counts. No patient
 * attribute is asked for, so none can be kept or told.
 * Invariants: bounded answers; what a PACS does not return is undefined, never zero.
 * Source: PS3.4 C.6.2 (Study Root), PS3.3 C.7.2.1, C.7.3.1.
 */
import { DicomDataset } from '@aifi/dicom-core';
import type { DimseScu } from '@aifi/dicom-dimse';
import { momentOf, queryValues, type TimeWindow, type ZoneMinutes } from './time-windows.js';

export interface PacsStudy {
  readonly studyUid: string;
  /** Undefined where the PACS gives no date. */
  readonly atMs: number | undefined;
  /** Empty where the PACS does not say. */
  readonly modalities: readonly string[];
  /** Undefined where the PACS does not count. */
  readonly instances: number | undefined;
}
export interface PacsSeries {
  readonly seriesUid: string;
  readonly modality: string | undefined;
  readonly description: string | undefined;
  readonly protocol: string | undefined;
  readonly bodyPart: string | undefined;
  readonly instances: number | undefined;
}
export interface FoundStudies {
  readonly studies: readonly PacsStudy[];
  /** False: the PACS has more in this window than may be taken at once. */
  readonly isWhole: boolean;
}
/** No answer is PEER_UNAVAILABLE or DEADLINE_EXCEEDED; queries refused are PEER_REFUSED. */
export interface StudyFinder {
  studies(window: TimeWindow): Promise<FoundStudies>;
  series(studyUid: string): Promise<readonly PacsSeries[]>;
}

/** Series of one study: the largest cardiac studies have a few hundred. */
const SERIES_MAX = 1_000;

export interface DimseStudyFinderOptions {
  readonly scu: Pick<DimseScu, 'find'>;
  readonly matchesMax: number;
  readonly zone: ZoneMinutes;
}

export class DimseStudyFinder implements StudyFinder {
  constructor(private readonly options: DimseStudyFinderOptions) {}

  async studies(window: TimeWindow): Promise<FoundStudies> {
    const { scu, matchesMax, zone } = this.options;
    const found = new Map<string, PacsStudy>();
    let isWhole = true;
    for (const { date, time } of queryValues(window, zone)) {
      const query = new DicomDataset()
        .setString('QueryRetrieveLevel', 'STUDY')
        .setString('StudyDate', date)
        .setString('StudyTime', time)
        .setString('StudyInstanceUID', '')
        .setString('ModalitiesInStudy', '')
        .setString('NumberOfStudyRelatedInstances', '');
      const answer = await scu.find(query, matchesMax);
      isWhole &&= answer.isWhole;
      for (const match of answer.matches) {
        const study = studyOf(match, zone);
        if (study) found.set(study.studyUid, study);
      }
    }
    // A PACS that does not match times answers with the whole day.
    const inWindow = [...found.values()].filter(
      ({ atMs }) => atMs === undefined || (atMs >= window.fromMs && atMs < window.toMs),
    );
    return { studies: inWindow, isWhole };
  }

  async series(studyUid: string): Promise<readonly PacsSeries[]> {
    const query = new DicomDataset()
      .setString('QueryRetrieveLevel', 'SERIES')
      .setString('StudyInstanceUID', studyUid)
      .setString('SeriesInstanceUID', '')
      .setString('Modality', '')
      .setString('SeriesDescription', '')
      .setString('ProtocolName', '')
      .setString('BodyPartExamined', '')
      .setString('NumberOfSeriesRelatedInstances', '');
    const { matches } = await this.options.scu.find(query, SERIES_MAX);
    return matches.flatMap((match) => {
      const seriesUid = textOf(match, 'SeriesInstanceUID');
      if (seriesUid === undefined) return [];
      return [
        {
          seriesUid,
          modality: textOf(match, 'Modality'),
          description: textOf(match, 'SeriesDescription'),
          protocol: textOf(match, 'ProtocolName'),
          bodyPart: textOf(match, 'BodyPartExamined'),
          instances: countOf(match, 'NumberOfSeriesRelatedInstances'),
        },
      ];
    });
  }
}

function studyOf(match: DicomDataset, zone: ZoneMinutes): PacsStudy | undefined {
  const studyUid = textOf(match, 'StudyInstanceUID');
  if (studyUid === undefined) return undefined;
  const date = textOf(match, 'StudyDate') ?? '';
  const time = textOf(match, 'StudyTime') ?? '';
  return {
    studyUid,
    atMs: momentOf(date, time, zone),
    modalities: match.strings('ModalitiesInStudy').filter((one) => one !== ''),
    instances: countOf(match, 'NumberOfStudyRelatedInstances'),
  };
}

/** Undefined for what is absent, empty or in a character set that it does not declare. */
function textOf(match: DicomDataset, keyword: string): string | undefined {
  try {
    return match.string(keyword) || undefined;
  } catch {
    return undefined;
  }
}

function countOf(match: DicomDataset, keyword: string): number | undefined {
  const text = textOf(match, keyword)?.trim();
  return text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}
