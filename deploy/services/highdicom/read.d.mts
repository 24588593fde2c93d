/** Types of read.mjs. */
export interface ReadSegmentation {
  readonly segments: readonly {
    readonly number: number;
    readonly label: string;
    readonly count: number;
  }[];
  /** (slice, row, column) to patient LPS, [4, 4]; null for an irregular volume. @unit mm */
  readonly affine: readonly (readonly number[])[] | null;
}
export declare function readSegmentation(file: string): ReadSegmentation;
