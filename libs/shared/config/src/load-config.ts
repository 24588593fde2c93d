/**
 * Configuration: one zod schema per process, parsed once in main.ts.
 * Decides that all problems are reported together, unknown keys are refused, and nothing else reads
 * the environment. Source file: JSON named by AIFI_CONFIG_FILE; AIFI_<PATH> overrides one value,
 * with `__` between levels (AIFI_DICOM__PORT=11112).
 */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { AifiError } from '@aifi/shared-kernel';

/** Names of the environment that are not configuration values. */
const RESERVED = new Set(['AIFI_CONFIG_FILE', 'AIFI_CRASH_AT']);

/** Host and port of a listener. Port 0: any free one, reported in the ready line. */
export const listenSchema = z.strictObject({
  host: z.string().default('127.0.0.1').describe('interface to listen on'),
  port: z.int().min(0).max(65535).describe('TCP port'),
});

/** Parses file and environment; CONFIG_INVALID lists every problem. */
export function loadConfig<S extends z.ZodType>(
  schema: S,
  environment: Readonly<Record<string, string | undefined>>,
): z.output<S> {
  const file = environment['AIFI_CONFIG_FILE'];
  const values: Record<string, unknown> = file ? readJson(file) : {};
  for (const [name, text] of Object.entries(environment)) {
    if (name.startsWith('AIFI_') && !RESERVED.has(name) && text !== undefined) {
      override(values, name.slice('AIFI_'.length).split('__').map(camelCase), text);
    }
  }
  const parsed = schema.safeParse(values);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((i) => `${i.path.join('.') || '(root)'}: ${i.message}`);
  throw new AifiError('CONFIG_INVALID', `configuration refused:\n  ${problems.join('\n  ')}`);
}

function readJson(file: string): Record<string, unknown> {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
  } catch (error) {
    throw new AifiError('CONFIG_INVALID', 'the configuration file does not read', { cause: error });
  }
}

function camelCase(name: string): string {
  return name.toLowerCase().replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

function override(target: Record<string, unknown>, path: readonly string[], text: string): void {
  const [key, ...rest] = path;
  if (key === undefined || ['__proto__', 'constructor', 'prototype'].includes(key)) return;
  if (rest.length > 0) {
    const child = target[key];
    const inner = typeof child === 'object' && child !== null ? { ...child } : {};
    target[key] = inner;
    override(inner as Record<string, unknown>, rest, text);
    return;
  }
  try {
    target[key] = JSON.parse(text);
  } catch {
    target[key] = text;
  }
}
