/**
 * Archives over DIMSE (C-FIND with C-MOVE or C-GET) and over DICOMweb (QIDO-RS with WADO-RS).
 * Decides how the same question is put in each. Invariants: one request to the PACS at a time here;
 * C-MOVE objects go to our listener, all others through the intake; no patient attribute is asked.
 * Source: PS3.4 C.6.2; PS3.18 10.4 and 10.6; reliability specification H15.
 */
import { DicomDataset } from '@aifi/dicom-core';
import type { DicomWebArchive, FoundStudies, StudySearch } from '@aifi/dicom-dicomweb';
import {
  DimseScu,
  listStudy,
  RetrieveScu,
  retrieveReason,
  type ListedSeries,
  type RetrieveOutcome,
  type RetrieveScuOptions,
} from '@aifi/dicom-dimse';
import type { Archive, FetchOrder, RetrievalReason } from './archive.js';
import { ObjectRelay, type IntakePort } from './object-relay.js';

/** Series of one study: the largest cardiac studies have a few hundred. */
const SERIES_MAX = 1_000;

export interface DimseArchiveOptions extends RetrieveScuOptions {
  readonly instancesMax: number;
  /** AE title of a C-MOVE; without one objects come by C-GET. */
  readonly destination: string | undefined;
  readonly intake: IntakePort;
}

export class DimseArchive implements Archive {
  readonly #scu: DimseScu;
  readonly #retrieve: RetrieveScu;

  constructor(private readonly options: DimseArchiveOptions) {
    this.#scu = new DimseScu(options);
    this.#retrieve = new RetrieveScu(options);
  }

  list(studyInstanceUid: string): Promise<ListedSeries[]> {
    const { instancesMax } = this.options;
    return listStudy(this.options, studyInstanceUid, { seriesMax: SERIES_MAX, instancesMax });
  }

  async fetch(order: FetchOrder): Promise<RetrievalReason | undefined> {
    const { destination, intake } = this.options;
    if (destination !== undefined) {
      return reasonIn(await this.#retrieve.move(order, destination));
    }
    const relay = new ObjectRelay(intake, order.studyInstanceUid);
    const outcome = await this.#retrieve.get({ ...order, handler: relay });
    return relay.reason ?? reasonIn(outcome);
  }

  async findStudies(search: StudySearch, matchesMax: number): Promise<FoundStudies> {
    const query = new DicomDataset()
      .setString('QueryRetrieveLevel', 'STUDY')
      .setString('StudyDate', search.date ?? '')
      .setString('StudyTime', '')
      .setString('AccessionNumber', search.accessionNumber ?? '')
      .setString('ModalitiesInStudy', search.modality ?? '')
      .setString('StudyDescription', '')
      .setString('StudyInstanceUID', '');
    const { matches, isWhole } = await this.#scu.find(query, matchesMax);
    const studies = matches
      .filter((match) => isAsked(match, search))
      .map((match) => ({
        studyInstanceUid: textOf(match, 'StudyInstanceUID'),
        date: textOf(match, 'StudyDate'),
        time: textOf(match, 'StudyTime'),
        description: textOf(match, 'StudyDescription'),
        modalities: match.strings('ModalitiesInStudy').filter((one) => one !== ''),
      }))
      .filter(({ studyInstanceUid }) => studyInstanceUid !== '');
    return { studies, isWhole };
  }

  async stationsOf(studyInstanceUid: string): Promise<string[]> {
    const query = new DicomDataset()
      .setString('QueryRetrieveLevel', 'SERIES')
      .setString('StudyInstanceUID', studyInstanceUid)
      .setString('SeriesInstanceUID', '')
      .setString('StationName', '');
    const { matches } = await this.#scu.find(query, SERIES_MAX);
    return matches.map((match) => textOf(match, 'StationName')).filter((name) => name !== '');
  }
}

export interface WebArchiveOptions {
  readonly web: DicomWebArchive;
  readonly instancesMax: number;
  readonly intake: IntakePort;
}

export class WebArchive implements Archive {
  constructor(private readonly options: WebArchiveOptions) {}

  list(studyInstanceUid: string): Promise<ListedSeries[]> {
    const { web, instancesMax } = this.options;
    return web.listStudy(studyInstanceUid, { seriesMax: SERIES_MAX, instancesMax });
  }

  async fetch(order: FetchOrder): Promise<RetrievalReason | undefined> {
    const { web, intake } = this.options;
    const relay = new ObjectRelay(intake, order.studyInstanceUid);
    await web.retrieve({ ...order, begin: () => relay.beginFile() });
    return relay.reason;
  }

  findStudies(search: StudySearch, matchesMax: number): Promise<FoundStudies> {
    return this.options.web.findStudies(search, matchesMax);
  }
  stationsOf(studyInstanceUid: string): Promise<string[]> {
    return this.options.web.stationsOf(studyInstanceUid, SERIES_MAX);
  }
}

function reasonIn({ status, subOperations }: RetrieveOutcome): RetrievalReason | undefined {
  return retrieveReason(status) ?? (subOperations.failed > 0 ? 'PARTLY' : undefined);
}

/** A PACS that does not match a key answers with everything: that is nothing of ours. */
function isAsked(match: DicomDataset, { accessionNumber }: StudySearch): boolean {
  if (!accessionNumber) return true;
  return textOf(match, 'AccessionNumber').trim() === accessionNumber;
}

/** Empty for what is absent, or in a character set that it does not declare. */
function textOf(match: DicomDataset, keyword: string): string {
  try {
    return match.string(keyword) ?? '';
  } catch {
    return '';
  }
}
