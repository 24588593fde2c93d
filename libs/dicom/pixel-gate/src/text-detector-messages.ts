/**
 * Messages between the gate and the text detector's process.
 * Decides what crosses: pictures in, boxes out. Invariant: what was read has no field here.
 */
import { z } from 'zod';

export interface ReadRequest {
  readonly id: number;
  readonly rows: number;
  readonly columns: number;
  /** [y, x] uint8. */
  readonly data: Uint8Array;
}
const size = z.int().nonnegative().max(65_536);
export const detectedWordSchema = z.strictObject({
  x: size,
  y: size,
  width: size,
  height: size,
  /** A side marker of a radiograph, or any other text. */
  isMarker: z.boolean(),
});
export const readAnswerSchema = z.union([
  z.strictObject({ kind: z.literal('ready') }),
  z.strictObject({
    kind: z.literal('words'),
    id: z.int(),
    words: z.array(detectedWordSchema).max(10_000),
  }),
]);
export type DetectedWord = z.infer<typeof detectedWordSchema>;
export type ReadAnswer = z.infer<typeof readAnswerSchema>;
