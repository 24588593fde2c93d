/**
 * The pixel gate: may these pixels leave, must a part of them go first, or has a person to look?
 * Decides nothing by itself here: this is what its callers see. Invariants: what nobody has looked
 * at never passes; a fault of the text detector holds the image; no text that was read is told.
 * Source: pseudonymisation specification 1.5, 1.6; PS3.15 E.3.1.
 */
import type { DicomDataset } from '@aifi/dicom-core';
import type { Part10InMemory, PixelRegion } from '@aifi/dicom-pixels';

export interface PixelQuestion {
  /** A received Part 10 file. */
  readonly path: string;
  /** Its header as received. */
  readonly header: DicomDataset;
  /** The same file as its reader has it, so that nothing is read twice. @default from `path` */
  readonly received?: ReceivedFile | undefined;
  /** A person has looked at this very file and said that it may leave. */
  readonly isReleased: boolean;
}
export interface ReceivedFile {
  /** Group 0002 as received. */
  readonly metaDataset: DicomDataset;
  /** All of it, when it is in memory; as it is until the question has been answered. */
  readonly whole: Part10InMemory | undefined;
}
/** Where something like text was seen; never what it says. */
export interface PixelFinding extends PixelRegion {
  /** Counts from 0. */
  readonly frame: number;
}
export type PixelDecision =
  /** The pixels leave as they are. */
  | { readonly kind: 'clear'; readonly by: 'tier' | 'border' | 'text-detector' | 'person' }
  /** These regions are blacked out on every frame first; what is left has passed. */
  | { readonly kind: 'clean'; readonly regions: readonly PixelRegion[] }
  /** A person has to look; a release makes the decision `clear`. */
  | {
      readonly kind: 'hold';
      /** Fixed words. */
      readonly reason: string;
      readonly findings: readonly PixelFinding[];
    }
  /** Never leaves, whoever says so. */
  | { readonly kind: 'refuse'; readonly reason: string };

export interface PixelGate {
  /** Never throws for what a sender may send. */
  readonly judge: (question: PixelQuestion) => Promise<PixelDecision>;
  /** Ends the text detector's process. */
  readonly close: () => Promise<void>;
}
