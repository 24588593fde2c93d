/**
 * Build of the pages: `--mode hub` and `--mode gateway`, each into its own folder of dist.
 * Decides that only what a page uses of the shared libraries is in it: they have no effects on
 * import, and what they need of Node is left out because no page reaches it.
 * Invariants: every file but the index has its hash in its name; nothing is inlined, since the
 * page's policy forbids that. Source: security specification 7.
 */
import { join } from 'node:path';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

const PAGES = ['hub', 'gateway'];
const NO_NODE = '\0no-node';

/** A page that would really need Node fails here, at build time. */
const withoutNode = () => ({
  name: 'without-node',
  enforce: 'pre',
  resolveId: (id) => (id.startsWith('node:') ? { id: NO_NODE + id, external: false } : null),
  load: (id) => (id.startsWith(NO_NODE) ? 'export default undefined;' : null),
  generateBundle(_options, bundle) {
    for (const chunk of Object.values(bundle)) {
      const used = Object.entries(chunk.modules ?? {}).find(
        ([id, { renderedLength }]) => id.startsWith(NO_NODE) && renderedLength > 0,
      );
      if (used) this.error(`the page uses ${used[0].slice(NO_NODE.length)}`);
    }
  },
});

export default defineConfig(({ mode }) => {
  if (!PAGES.includes(mode)) throw new Error(`--mode ${PAGES.join(' or ')}`);
  return {
    root: join(import.meta.dirname, 'src', mode),
    base: '/',
    plugins: [withoutNode(), react()],
    resolve: { conditions: ['aifi-source', 'module', 'browser', 'production'] },
    build: {
      outDir: join(import.meta.dirname, 'dist', mode),
      emptyOutDir: true,
      assetsInlineLimit: 0,
      target: ['chrome111', 'edge111', 'firefox114', 'safari16.4'],
      modulePreload: { polyfill: false },
      reportCompressedSize: false,
      // The first load has a limit of its own: tools/size.mjs.
      chunkSizeWarningLimit: 1_000,
      rolldownOptions: {
        shimMissingExports: true,
        // Names of Node that nobody uses here; generateBundle above checks that.
        onLog: (level, log, report) => log.code !== 'SHIMMED_EXPORT' && report(level, log),
        treeshake: {
          moduleSideEffects: [
            { test: /\.css$/, sideEffects: true },
            { test: /\/libs\/(contracts|shared)\//, sideEffects: false },
          ],
          manualPureFunctions: ['z'],
        },
      },
    },
  };
});
