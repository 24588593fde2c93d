/**
 * AE titles in configuration.
 * Decides which ones are taken: 1 to 16 characters of the default repertoire, no backslash, and no
 * outer spaces, which the wire would not keep. Source: PS3.5 6.2 (AE).
 */
import { z } from 'zod';

export const aeTitleSchema = z
  .string()
  .regex(/^(?! )[\x20-\x5b\x5d-\x7e]{1,16}(?<! )$/, 'not an AE title');
