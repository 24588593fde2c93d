/**
 * Module hooks of the fuzzer: TypeScript of this workspace is compiled on load by the compiler and
 * settings of the build, and the files of a target are instrumented with coverage counters.
 * Decides what is instrumented: AIFI_FUZZ_COVERS, path fragments apart by commas; none by default.
 * Source: Node.js module.registerHooks; istanbul-lib-instrument.
 */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire, registerHooks } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const require = createRequire(import.meta.url);
const { transformSync } = require('@swc/core');
const root = join(import.meta.dirname, '..', '..');
const settings = JSON.parse(readFileSync(join(root, '.swcrc'), 'utf8'));
const covers = (process.env.AIFI_FUZZ_COVERS ?? '').split(',').filter(Boolean);
const { createInstrumenter } = covers.length > 0 ? require('istanbul-lib-instrument') : {};

function compiled(path) {
  const source = readFileSync(path, 'utf8');
  const options = { ...settings, swcrc: false, configFile: false, filename: path };
  const { code } = transformSync(source, options);
  const name = path.slice(root.length + 1);
  if (!covers.some((fragment) => name.startsWith(fragment))) return code;
  return createInstrumenter({ esModules: true, compact: true }).instrumentSync(code, name);
}

registerHooks({
  resolve(specifier, context, next) {
    if (specifier.startsWith('.') && specifier.endsWith('.js') && context.parentURL) {
      const url = new URL(specifier.replace(/\.js$/, '.ts'), context.parentURL);
      if (url.protocol === 'file:' && existsSync(url)) return next(url.href, context);
    }
    return next(specifier, context);
  },
  load(url, context, next) {
    if (!url.startsWith('file:') || !url.endsWith('.ts')) return next(url, context);
    return { format: 'module', source: compiled(fileURLToPath(url)), shortCircuit: true };
  },
});
