/**
 * Child process that does one audited act on the compiled library and prints the answer.
 * Arguments: path of the database, the act, the crash point (empty: none).
 * Invariant: the crash point is armed when all is open, so it kills the act and nothing before it.
 */
import { armCrashPoint } from '@aifi/shared-kernel';
import { FakeClock } from '@aifi/shared-testing';
import type * as Library from '../src/index.js';
import type * as Acts from './audited-acts.js';
import type * as Fakes from './fake-caller.js';

const at = (file: string): string => new URL(file, import.meta.url).href;
const [path = '', act = '', crashAt] = process.argv.slice(2);
const library = (await import(at('../dist/index.js'))) as typeof Library;
const fakes = (await import(at('fake-caller.ts'))) as typeof Fakes;
const { AUDITED_ACTS } = (await import(at('audited-acts.ts'))) as typeof Acts;
const audited = AUDITED_ACTS.find((each) => each.act === act);
if (!audited) throw new Error('no such act');
const clock = new FakeClock();
const access = library.openGatewayAccess({ path, siteId: 'site-a', clock });
armCrashPoint(crashAt);
const answer = await audited.perform({ access, library, fakes, clock, path });
await access.database.close();
process.stdout.write(`${JSON.stringify(answer ?? null)}\n`);
