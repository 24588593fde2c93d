/** Goal: a wrong Node is refused. Method: versions around the required major. */
import { describe, expect, it } from '@jest/globals';
import { assertNodeVersion } from './index.js';

describe(assertNodeVersion.name, () => {
  it('accepts the Node that the tests run on, which is the locked one', () => {
    expect(() => assertNodeVersion()).not.toThrow();
    expect(process.versions.node).toMatch(/^24\./);
  });
  it.each(['20.20.2', '22.13.0', '25.0.0', '26.10.0'])('refuses %s', (version) => {
    expect(() => assertNodeVersion(version)).toThrow(/needs Node 24/);
  });
});
