/**
 * Goal: one spelling and one order of the stages in code, folders and documents.
 * Method: the kernel's list against pipeline.ts, libs/gateway, libs/hub and docs/architecture.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { GATEWAY_STAGES, HUB_STAGES } from '@aifi/shared-kernel';

const root = join(import.meta.dirname, '../../..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

describe('stage names', () => {
  it('are wired in the order of the data', () => {
    const pipeline = read('apps/gateway/src/pipeline.ts');
    const wired = [...pipeline.matchAll(/\.\.\.common\('(\w+)'\)/g)].map((match) => match[1]);
    expect([...new Set(wired)].sort()).toEqual([...GATEWAY_STAGES].sort());
    const list = pipeline.slice(pipeline.indexOf('const stages'));
    const places = GATEWAY_STAGES.map((stage) =>
      list.search(
        new RegExp(`create${stage[0]!.toUpperCase()}${stage.slice(1)}Stage|${stage}[,.]`),
      ),
    );
    expect(places).toEqual([...places].sort((a, b) => a - b));
    expect(places.every((place) => place >= 0)).toBe(true);
  });
  it('are the folder names', () => {
    for (const stage of GATEWAY_STAGES) {
      expect([stage, existsSync(join(root, 'libs/gateway', stage, 'README.md'))]).toEqual([
        stage,
        true,
      ]);
    }
    for (const stage of HUB_STAGES) {
      expect([stage, existsSync(join(root, 'libs/hub', stage, 'README.md'))]).toEqual([
        stage,
        true,
      ]);
    }
  });
  it('are the section headings of the data path', () => {
    const headings = [...read('docs/architecture/2-data-path.md').matchAll(/^### (.+)$/gm)];
    expect(headings.map((match) => match[1])).toEqual([
      ...GATEWAY_STAGES.slice(0, 6).map((stage) => `gateway: ${stage}`),
      ...HUB_STAGES.map((stage) => `hub: ${stage}`),
      ...GATEWAY_STAGES.slice(6).map((stage) => `gateway: ${stage}`),
    ]);
  });
});
