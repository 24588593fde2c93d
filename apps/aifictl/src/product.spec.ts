/**
 * Goal: a stop is one order with its key, says what it covers, and its refusal is told by the exit
 * code; what is stopped reads well and keeps its shape.
 * Method: the whole program with made-up answers.
 */
import { describe, expect, it } from '@jest/globals';
import { aProblem, aTerminal, HUB, T0 } from '../test/answers.js';
import { productStopsDocumentSchema, productSwitchDocumentSchema } from './product-commands.js';
import { runAifictl } from './run.js';

const at = ['--hub', HUB];
const why = ['--reason', 'the vendor has withdrawn it'];
const stopAddress = `${HUB}/api/v1/products/bone-age/stop`;
const resumeAddress = `${HUB}/api/v1/products/bone-age/resume`;
const everywhere = { product: 'bone-age', version: '*', siteId: null };
const stop = {
  ...{ ...everywhere, code: 'SUSPENDED', reason: 'the vendor has withdrawn it' },
  ...{ stoppedBy: 'Anne', stoppedAtMs: T0 },
};

describe('aifictl product', () => {
  it('stops every version everywhere by one order with a key', async () => {
    const terminal = aTerminal({ [stopAddress]: { ...everywhere, isNew: true } });
    expect(await runAifictl(['product', 'stop', 'bone-age', ...why, ...at], terminal)).toBe(0);
    expect(terminal.printed()).toBe('bone-age, every version, every site: is stopped\n');
    const [order, ...others] = terminal.asked;
    expect(others).toEqual([]);
    expect(order!.headers.get('idempotency-key')).not.toBeNull();
    expect(JSON.parse(order!.body)).toEqual({ reason: 'the vendor has withdrawn it' });
  });
  it('stops one version at one site, and says when that was so before', async () => {
    const scope = { product: 'bone-age', version: '1.2.0', siteId: 'site-a' };
    const terminal = aTerminal({ [stopAddress]: { ...scope, isNew: false } });
    const only = ['--version', '1.2.0', '--site', 'site-a', '--code', 'CERTIFICATE_INVALID'];
    const args = ['product', 'stop', 'bone-age', ...only, ...why, ...at, '--json'];
    expect(await runAifictl(args, terminal)).toBe(0);
    const document = productSwitchDocumentSchema.parse(JSON.parse(terminal.printed()));
    expect(document).toMatchObject({ ...scope, verb: 'stop', isNew: false, fault: null });
    expect(JSON.parse(terminal.asked[0]!.body)).toMatchObject({ code: 'CERTIFICATE_INVALID' });
  });
  it('tells by its exit code that the hub did not let the same person resume', async () => {
    const refused = aTerminal({ [resumeAddress]: aProblem(403, 'FORBIDDEN') });
    const args = ['product', 'resume', 'bone-age', ...why, ...at];
    expect(await runAifictl(args, refused)).toBe(1);
    expect(refused.printed()).toMatch(/^! http:\/\/hub /);
    const done = aTerminal({ [resumeAddress]: everywhere });
    expect(await runAifictl(args, done)).toBe(0);
    expect(done.printed()).toBe('bone-age, every version, every site: may be used again\n');
  });
  it('shows what is stopped, by whom and why', async () => {
    const answers = { [`${HUB}/api/v1/product-stops`]: { stops: [stop] } };
    const [text, json] = [aTerminal(answers), aTerminal(answers)];
    expect(await runAifictl(['product', 'status', ...at], text)).toBe(0);
    const lines = text.printed().split('\n');
    expect(lines[0]).toMatch(/^product +version +site +code +since \(UTC\) +by +reason$/);
    expect(lines[1]).toMatch(/^bone-age +every version +every site +SUSPENDED .* Anne +the vendor/);
    expect(await runAifictl(['product', 'status', ...at, '--json'], json)).toBe(0);
    expect(productStopsDocumentSchema.parse(JSON.parse(json.printed())).stops).toEqual([stop]);
    const none = aTerminal({ [`${HUB}/api/v1/product-stops`]: { stops: [] } });
    expect(await runAifictl(['product', 'status', ...at], none)).toBe(0);
    expect(none.printed()).toBe('nothing is stopped\n');
  });
});
