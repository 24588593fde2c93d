/**
 * Jest: unit and integration suites run from source, as ESM, compiled by swc.
 * The kind is in the file name: x.spec.ts touches nothing, x.integration.spec.ts starts things,
 * x.e2e.ts starts everything. One root configuration: one count at the end.
 */
import { readFileSync } from 'node:fs';

const swc = JSON.parse(readFileSync(new URL('./.swcrc', import.meta.url), 'utf8'));
const base = {
  rootDir: import.meta.dirname,
  roots: ['<rootDir>/apps', '<rootDir>/libs', '<rootDir>/tools'],
  testEnvironment: 'node',
  testEnvironmentOptions: { customExportConditions: ['aifi-source', 'node', 'node-addons'] },
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '^.+\\.ts$': ['@swc/jest', { ...swc, swcrc: false }] },
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  modulePathIgnorePatterns: ['/dist/'],
};
export default {
  // A guard against a test that hangs, not a claim about speed: a loaded machine is no failure.
  testTimeout: 30_000,
  projects: [
    {
      ...base,
      displayName: 'unit',
      testMatch: ['**/src/**/*.spec.ts'],
      testPathIgnorePatterns: ['\\.integration\\.spec\\.ts$', '/dist/'],
    },
    { ...base, displayName: 'integration', testMatch: ['**/src/**/*.integration.spec.ts'] },
    { ...base, displayName: 'e2e', testMatch: ['**/src/**/*.e2e.ts'] },
  ],
};
