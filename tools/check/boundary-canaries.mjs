/**
 * Boundary canaries: imports that the boundary rule must refuse, one per law.
 * Decides that a silent rule is a failure: with no cached project graph the rule skips itself and
 * eslint still exits 0. Exit 1 when a forbidden import passes or an allowed one is refused.
 */
import { ESLint } from 'eslint';

const CANARIES = [
  ['scope', 'libs/gateway/select/src/canary.ts', '@aifi/hub-database', true],
  ['scope', 'libs/hub/ingest/src/canary.ts', '@aifi/gateway-database', true],
  ['type: stage to stage', 'libs/gateway/uplink/src/canary.ts', '@aifi/gateway-spool', true],
  ['type: domain to service', 'libs/policy/routing-rules/src/canary.ts', '@aifi/hub-models', true],
  ['data', 'libs/gateway/uplink/src/canary.ts', '@aifi/gateway-vault', true],
  ['data', 'libs/gateway/deliver/src/canary.ts', '@aifi/gateway-vault', true],
  ['external', 'libs/hub/ingest/src/canary.ts', 'dcmjs-dimse', true],
  ['external', 'libs/gateway/spool/src/canary.ts', 'typeorm', true],
  ['scope: access', 'libs/access/web/src/canary.ts', '@aifi/hub-database', true],
  ['scope: policy', 'libs/policy/routing-rules/src/canary.ts', '@aifi/access-web', true],
  ['scope: worker', 'apps/inference-worker/src/canary.ts', '@aifi/access-web', true],
  ['scope: pages', 'apps/console/src/canary.ts', '@aifi/access-authorisation', true],
  ['allowed', 'libs/gateway/uplink/src/canary.ts', '@aifi/gateway-database', false],
];
const RULE = '@nx/enforce-module-boundaries';

// The canary files do not exist: rules that need types are left out, the boundary rule stays.
const eslint = new ESLint({
  ruleFilter: ({ ruleId }) => ruleId === RULE,
  overrideConfig: {
    files: ['**/canary.ts'],
    languageOptions: { parserOptions: { projectService: false } },
  },
});
let failures = 0;
for (const [law, filePath, target, mustFail] of CANARIES) {
  const code = `import * as forbidden from '${target}';\nexport { forbidden };\n`;
  const [result] = await eslint.lintText(code, { filePath });
  const refused = result.messages.some((message) => message.ruleId === RULE);
  if (refused === mustFail) continue;
  failures += 1;
  console.error(
    `boundary canary (${law}): ${filePath} -> ${target} was ${refused ? '' : 'not '}refused`,
  );
  for (const message of result.messages) console.error(`  ${message.message}`);
}
console.log(`boundary canaries: ${CANARIES.length - failures} as expected, ${failures} not`);
process.exitCode = failures === 0 ? 0 : 1;
