/**
 * EvidenceContext: everything that a result object says about its origin.
 * Decides what a builder may know: one source header, the instances in slice order, the product,
 * the job. Invariant: the source is pseudonymous at the hub; the builders read no clock, no disk
 * and no random numbers, so equal contexts give equal bytes.
 * Source: results specification 4.1; PS3.16 TID 1500.
 */
import type { DicomDataset } from '@aifi/dicom-core';
import type { DetectionOutput, ManifestClass, ModelManifest } from '@aifi/contracts-manifests';
import { AifiError, type JobId, type PseudonymousUid, type Sha256 } from '@aifi/shared-kernel';

export type { ManifestClass };

export interface SourceInstance {
  readonly sopClassUid: string;
  readonly sopInstanceUid: string;
  readonly seriesInstanceUid: string;
}

/** RFC 5646 tags of the languages in which our own sentences exist. */
export type EvidenceLanguage = 'nl-NL' | 'en-GB';

/** Gives the UID of an object, series or finding that the hub makes; see `createMinter`. */
export type Mint = (role: string, index: number) => PseudonymousUid;

/** How much of its series a product had that was started early. */
export interface EarlyImages {
  readonly instances: number;
  /** How many there are to be, where somebody says so. */
  readonly expected?: number | undefined;
}

export interface EvidenceContext {
  readonly source: {
    /** Header of one source instance. */
    readonly dataset: DicomDataset;
    /** All instances that the product read, in slice order. */
    readonly instances: readonly SourceInstance[];
  };
  readonly product: ModelManifest;
  readonly modelDigest: Sha256;
  readonly jobId: JobId;
  readonly platformVersion: string;
  readonly language: EvidenceLanguage;
  /** The product ran while the study still arrived. */
  readonly early?: EarlyImages | undefined;
  readonly producedAt: Date;
  /**
   * Zone in which times are written when the source declares none. A source's own Timezone Offset
   * From UTC goes first: the attribute also covers the study's date and time. @unit min
   */
  readonly utcOffsetMinutes: number;
  readonly mint: Mint;
}

/** One volume of one output class of the product. */
export interface VolumeMeasurement {
  /** `value` of a class of the manifest. */
  readonly classValue: number;
  /** @unit mL */
  readonly volumeMl: number;
}

/** A box that a detection product reports on one image. */
export interface Detection {
  /** One of the context's source instances. */
  readonly instance: SourceInstance;
  /** Edges, x = column and y = row; 0,0 is the top left corner of the top left pixel. @unit px */
  readonly box: {
    readonly x1: number;
    readonly y1: number;
    readonly x2: number;
    readonly y2: number;
  };
  /** 0..1, at or above the operating point. */
  readonly score: number;
}

/**
 * Most source instances of one result: about 0.4 kB of header for each, so that a report stays far
 * below LIMITS.headerBytesMax at the gateway. Real volumes have fewer than 2,000 slices.
 */
export const SOURCE_INSTANCES_MAX = 8192;

/** Throws INVALID_ARGUMENT when there is no source instance and LIMIT_EXCEEDED for too many. */
export function assertSources(context: EvidenceContext): void {
  const count = context.source.instances.length;
  if (count === 0) throw new AifiError('INVALID_ARGUMENT', 'evidence without source instances');
  if (count > SOURCE_INSTANCES_MAX) {
    throw new AifiError('LIMIT_EXCEEDED', 'too many source instances for one result');
  }
}

/** The output of a detection product; INVALID_ARGUMENT for any other. */
export function detectionOutput({ product }: EvidenceContext): DetectionOutput {
  if (product.output.kind === 'detection') return product.output;
  throw new AifiError('INVALID_ARGUMENT', 'the product detects nothing');
}

/** One decimal, as acceptance and readers expect; throws INVALID_ARGUMENT for a non-volume. */
export function millilitres(volumeMl: number): string {
  if (!Number.isFinite(volumeMl) || volumeMl < 0 || volumeMl >= 1e9) {
    throw new AifiError('INVALID_ARGUMENT', 'volume is not a finite, non-negative number');
  }
  return volumeMl.toFixed(1);
}
