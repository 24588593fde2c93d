/**
 * Where the compiled entry file of a child process lies.
 * Decides that children always run compiled code, also when the parent runs from source in a test.
 */
import { fileURLToPath } from 'node:url';

/** `processEntry(import.meta.url, 'listener-main')` → `<lib>/dist/listener-main.js`. */
export function processEntry(moduleUrl: string, name: string): string {
  const here = fileURLToPath(new URL('.', moduleUrl));
  return `${here.replace(/\/src\/$/, '/dist/')}${name}.js`;
}
