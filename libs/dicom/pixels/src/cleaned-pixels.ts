/**
 * Cleaned pixels: pixel data with regions blacked out, ready to be written.
 * Decides what the writer of a file needs to know of pixel data that are no longer the received
 * ones. Invariants: the same file and regions give the same bytes; one frame is in memory at a
 * time; outside of the regions every sample is what the received pixel data decode to.
 * Source: PS3.15 E.3.1 (Clean Pixel Data Option); pseudonymisation specification 1.5.
 */
import type { DicomDataset } from '@aifi/dicom-core';

/** A rectangle of pixels: column x to the right, row y down, the upper left pixel is (0, 0). */
export interface PixelRegion {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface CleanedPixels {
  readonly transferSyntaxUid: string;
  /** Attributes that describe the new pixel data; they replace those of the received object. */
  readonly attributes: DicomDataset;
  /** Attributes of the received object that are untrue of the new pixel data. @default none */
  readonly removed?: readonly number[];
  /** Of Pixel Data (7FE0,0010). */
  readonly vr: 'OB' | 'OW';
  /** Of the value field, even; undefined for encapsulated pixel data. @unit bytes */
  readonly length: number | undefined;
  /**
   * The value field; of encapsulated pixel data all items, offset table first, and the closing
   * delimiter. Throws DICOM_MALFORMED when a frame does not decode.
   */
  readonly chunks: () => AsyncIterable<Uint8Array>;
  /** SHA-256 of the regions: part of the new SOP Instance UID, so other regions give another. */
  readonly regionsSha256: string;
}
