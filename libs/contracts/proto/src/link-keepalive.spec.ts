/**
 * Goal: what is shipped finds a half-open link in time, at both ends.
 * Method: the times themselves, and a search through the sources for ends with times of their own.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { keepaliveOptions, LINK_KEEPALIVE } from './link-keepalive.js';

const HALF_OPEN_MS_MAX = 35_000;
const repository = join(import.meta.dirname, '../../../..');

describe(keepaliveOptions.name, () => {
  it('are 20 s and 10 s, together less than 35 s, and go on without calls', () => {
    expect(LINK_KEEPALIVE).toEqual({ timeMs: 20_000, timeoutMs: 10_000 });
    const { timeMs, timeoutMs } = LINK_KEEPALIVE;
    expect(timeMs + timeoutMs).toBeLessThanOrEqual(HALF_OPEN_MS_MAX);
    expect(keepaliveOptions()).toEqual({
      'grpc.keepalive_time_ms': 20_000,
      'grpc.keepalive_timeout_ms': 10_000,
      'grpc.keepalive_permit_without_calls': 1,
    });
  });
  it.each(['apps/hub/src', 'apps/gateway/src', 'libs/hub/link/src', 'libs/gateway/link/src'])(
    'are the only ones in %s',
    (folder) => {
      const names = readdirSync(join(repository, folder), { recursive: true, encoding: 'utf8' });
      const sources = names.filter((name) => name.endsWith('.ts') && !name.endsWith('.spec.ts'));
      expect(sources.length).toBeGreaterThan(3);
      const text = sources.map((name) => readFileSync(join(repository, folder, name), 'utf8'));
      const times = text.join('\n').match(/'grpc\.keepalive_time(?:out)?_ms': [\d_]+/g) ?? [];
      const shipped = ["'grpc.keepalive_time_ms': 20_000", "'grpc.keepalive_timeout_ms': 10_000"];
      expect(times.filter((one) => !shipped.includes(one))).toEqual([]);
    },
  );
});
