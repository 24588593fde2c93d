/**
 * Lint: the three boundary dimensions (scope, type, data) and the rules that types cannot carry.
 * The arrows are those of docs/architecture/3-trust-boundaries.md. The boundary rule needs the
 * cached Nx project graph: `npm run check` builds it first and proves with canaries that the rule
 * bites (tools/check/boundary-canaries.mjs).
 */
import js from '@eslint/js';
import nx from '@nx/eslint-plugin';
import tseslint from 'typescript-eslint';

const SHARED = ['scope:shared'];
const COMMON = ['scope:contracts', 'scope:dicom', 'scope:policy', ...SHARED];
const only = (sourceTag, onlyDependOnLibsWithTags, bannedExternalImports = []) => ({
  sourceTag,
  onlyDependOnLibsWithTags,
  bannedExternalImports,
});

const depConstraints = [
  // scope: gateway and hub share only contracts, policy, dicom and shared.
  only(
    'scope:gateway',
    ['scope:gateway', 'scope:access', ...COMMON],
    ['typeorm', 'kafkajs', 'onnxruntime-node'],
  ),
  only('scope:hub', ['scope:hub', 'scope:access', ...COMMON], ['dcmjs-dimse', 'onnxruntime-node']),
  only('scope:worker', ['scope:worker', ...COMMON], ['typeorm', 'kafkajs', 'dcmjs-dimse']),
  only('scope:simulator', [
    ...['scope:simulator', 'scope:tools', 'scope:gateway', 'scope:hub', 'scope:access'],
    ...COMMON,
  ]),
  only('scope:e2e', ['scope:e2e', 'scope:tools', 'scope:gateway', 'scope:access', ...COMMON]),
  only('scope:tools', ['scope:tools', 'scope:access', ...COMMON]),
  only('scope:console', ['scope:console', 'scope:contracts', ...SHARED]),
  // access: sign-in, rights and records, the same at gateway and hub.
  only('scope:access', ['scope:access', ...COMMON]),
  only('scope:policy', COMMON),
  only('scope:dicom', COMMON),
  only('scope:contracts', ['scope:contracts', ...SHARED]),
  only('scope:shared', SHARED),
  // type: a stage never imports a stage; domain knows no framework.
  only('type:app', [
    'type:stage',
    'type:service',
    'type:adapter',
    'type:domain',
    'type:util',
    'type:app',
  ]),
  only('type:stage', ['type:service', 'type:adapter', 'type:domain', 'type:util']),
  only('type:service', ['type:service', 'type:adapter', 'type:domain', 'type:util']),
  only('type:adapter', ['type:adapter', 'type:domain', 'type:util']),
  only('type:domain', ['type:domain', 'type:util'], ['@nestjs/*', 'typeorm', 'pg']),
  only('type:util', ['type:util']),
  // data: pseudonymised may not depend on identifiable or linkage, directly or through others.
  only('data:linkage', ['data:linkage', 'data:identifiable', 'data:pseudonymised', 'data:any']),
  only('data:identifiable', ['data:identifiable', 'data:pseudonymised', 'data:any']),
  only('data:pseudonymised', ['data:pseudonymised', 'data:any']),
  only('data:any', ['data:any']),
];

export default tseslint.config(
  { ignores: ['**/dist/**', '**/node_modules/**', '**/generated/**', '**/fixtures/**'] },
  js.configs.recommended,
  ...tseslint.configs.recommended,
  {
    files: ['**/*.{ts,tsx}'],
    languageOptions: { parserOptions: { projectService: true } },
    plugins: { '@nx': nx },
    rules: {
      // deploy/ holds scripts, not a project: tools may run them.
      '@nx/enforce-module-boundaries': [
        'error',
        { allow: ['../../../deploy/**', '../../../../deploy/**'], depConstraints },
      ],
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: false }],
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      'max-params': ['error', 4],
      'no-console': 'error',
      'no-restricted-exports': ['error', { restrictDefaultExports: { direct: true } }],
      'no-restricted-syntax': [
        'error',
        { selector: 'TSEnumDeclaration', message: 'Use a const object and a union type.' },
        {
          selector: "MemberExpression[object.name='process'][property.name='env']",
          message: 'Only main.ts reads the environment.',
        },
      ],
    },
  },
  {
    // Decorator metadata needs the classes of injected parameters as values.
    files: ['apps/hub/src/**/*.ts', 'apps/gateway/src/**/*.ts', 'libs/access/web/src/**/*.ts'],
    rules: { '@typescript-eslint/consistent-type-imports': 'off' },
  },
  { files: ['**/*.d.ts'], rules: { 'no-restricted-exports': 'off' } },
  {
    files: [
      '**/main.ts',
      '**/*-main.ts',
      '**/*.spec.ts',
      'apps/e2e/**',
      'tools/**',
      'libs/shared/testing/**',
    ],
    rules: { 'no-restricted-syntax': 'off', 'no-console': 'off' },
  },
  {
    files: ['**/*.mjs'],
    languageOptions: {
      globals: {
        process: 'readonly',
        console: 'readonly',
        URL: 'readonly',
        performance: 'readonly',
        setTimeout: 'readonly',
        clearTimeout: 'readonly',
        Buffer: 'readonly',
        fetch: 'readonly',
        AbortSignal: 'readonly',
      },
    },
  },
);
