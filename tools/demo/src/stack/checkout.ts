/**
 * Where things lie in the checkout.
 * Decides the paths that the demo and the e2e tests share, the same from source and from dist.
 * Invariant: apps always run compiled.
 */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Root of the checkout: four folders above tools/demo/{src,dist}/stack/. */
const root = fileURLToPath(new URL('../../../..', import.meta.url));

export const DEMO_DATA_FOLDER = join(root, 'deploy', 'demo', 'data');
export const MODELS_FOLDER = join(root, 'deploy', 'demo', 'models');
export const WATCHDOG_ENTRY = join(root, 'tools', 'demo', 'dist', 'stack', 'watchdog-main.js');

/** The compiled main of an app. */
export function appEntry(app: string): string {
  return join(root, 'apps', app, 'dist', 'main.js');
}
