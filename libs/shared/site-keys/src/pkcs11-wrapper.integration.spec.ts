/**
 * Goal: the master key lies in an HSM: nothing opens without it, and no PIN is ever shown.
 * Method: a token of SoftHSM 2 made for the suite, spoken to by OpenSC's pkcs11-tool.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FakeClock, hasPeers, temporaryFolder, type TemporaryFolder } from '@aifi/shared-testing';
import {
  KEY_NAMES,
  loadKeyRing,
  pkcs11KeyWrapper,
  rewrapKeys,
  rotateKeys,
  type Pkcs11Options,
} from './index.js';

const MODULES = [
  '/usr/lib/softhsm/libsofthsm2.so',
  '/usr/lib64/softhsm/libsofthsm2.so',
  '/usr/local/lib/softhsm/libsofthsm2.so',
];
const PIN = '948215';
const suite = hasPeers('softhsm2-util', 'pkcs11-tool') ? describe : describe.skip;

suite(pkcs11KeyWrapper.name, () => {
  let folder: TemporaryFolder;
  let options: Pkcs11Options;
  const clock = new FakeClock();
  const path = (): string => join(folder.path, 'site-keys.json');
  const pinFile = (): string => join(folder.path, 'pin');
  const sleeper = (): string => {
    const script = join(folder.path, 'sleeper');
    writeFileSync(script, '#!/bin/sh\nexec sleep 30\n', { mode: 0o700 });
    return script;
  };
  const load = (more: Partial<Pkcs11Options> = {}, mayCreate = false) =>
    loadKeyRing({
      ...{ path: path(), clock, mayCreate },
      wrapper: pkcs11KeyWrapper({ ...options, ...more }),
    });

  beforeAll(() => {
    folder = temporaryFolder('softhsm');
    const configuration = join(folder.path, 'softhsm2.conf');
    mkdirSync(join(folder.path, 'tokens'));
    const lines = [`directories.tokendir = ${join(folder.path, 'tokens')}`, 'log.level = ERROR'];
    writeFileSync(configuration, lines.join('\n'));
    writeFileSync(pinFile(), `${PIN}\n`, { mode: 0o600 });
    const environment = { SOFTHSM2_CONF: configuration };
    const modulePath = MODULES.find((each) => existsSync(each));
    if (!modulePath) throw new Error('SoftHSM has no library in its usual places');
    const run = (tool: string, ...words: string[]): void => {
      execFileSync(tool, words, { env: { ...process.env, ...environment }, stdio: 'ignore' });
    };
    const token = ['--token-label', 'aifi'];
    run(
      'softhsm2-util',
      '--init-token',
      '--free',
      '--label',
      'aifi',
      '--pin',
      PIN,
      '--so-pin',
      PIN,
    );
    for (const [id, type] of [
      ['09', 'rsa:1024'],
      ['01', 'rsa:3072'],
      ['02', 'rsa:3072'],
    ]) {
      const key = [
        '--keypairgen',
        '--key-type',
        type!,
        '--label',
        'alike',
        '--id',
        id!,
        '--usage-decrypt',
      ];
      run('pkcs11-tool', '--module', modulePath, ...token, '--login', '--pin', PIN, ...key);
    }
    options = {
      ...{ modulePath, tokenLabel: 'aifi', keyId: '01', environment },
      ...{ pin: { file: pinFile() }, oaepDigest: 'sha1' },
    };
  });
  afterAll(() => folder.remove());

  it('keeps no key in the file, and opens it again with the PIN from a file or as a value', async () => {
    const { current } = await load({}, true);
    const text = readFileSync(path(), 'utf8');
    for (const name of KEY_NAMES) expect(text).not.toContain(current[name].toString('hex'));
    expect((await load()).current).toEqual(current);
    expect((await load({ pin: { value: PIN } })).current).toEqual(current);
  });
  it('rotates, and takes keys out of the HSM and in again', async () => {
    const wrapper = pkcs11KeyWrapper(options);
    const { epochs, current } = await rotateKeys({ path: path(), wrapper }, 'sealing', 5);
    expect(epochs).toEqual([1, 2]);
    await rewrapKeys({ path: path(), wrapper, to: undefined });
    await rewrapKeys({ path: path(), to: wrapper });
    expect((await load()).current).toEqual(current);
  });
  it('wraps alike never twice, and opens nothing that was changed', async () => {
    const wrapper = pkcs11KeyWrapper(options);
    const master = Buffer.alloc(32, 7);
    const [one, other] = [await wrapper.wrap(master), await wrapper.wrap(master)];
    expect(one.equals(other)).toBe(false);
    expect(await wrapper.unwrap(one)).toEqual(master);
    one[10]! ^= 1;
    await expect(wrapper.unwrap(one)).rejects.toMatchObject({ code: 'PEER_UNAVAILABLE' });
  });

  it.each<[string, Partial<Pkcs11Options>, string]>([
    ['the library is missing', { modulePath: '/nowhere.so' }, 'PEER_UNAVAILABLE'],
    ['the tool is missing', { tool: '/nowhere/pkcs11-tool' }, 'CONFIG_INVALID'],
    ['the PIN is wrong', { pin: { value: '111111' } }, 'CONFIG_INVALID'],
    ['the PIN file is missing', { pin: { file: '/nowhere' } }, 'CONFIG_INVALID'],
    ['the HSM never answers', { tool: 'SLEEPER', timeoutMs: 200 }, 'PEER_UNAVAILABLE'],
  ])('holds with a clear code when %s, and says nothing', async (_, more, code) => {
    const before = readFileSync(path(), 'utf8');
    const tool = more.tool === 'SLEEPER' ? { tool: sleeper() } : {};
    const fault: unknown = await load({ ...more, ...tool }, true).catch((error: unknown) => error);
    expect(fault).toMatchObject({ code });
    expect(JSON.stringify(fault, Object.getOwnPropertyNames(fault))).not.toContain(PIN);
    expect(readFileSync(path(), 'utf8')).toBe(before);
  });
  it('holds while the token is away, and opens when it is back', async () => {
    const tokens = join(folder.path, 'tokens');
    renameSync(tokens, `${tokens}.away`);
    await expect(load()).rejects.toMatchObject({ code: 'PEER_UNAVAILABLE' });
    renameSync(`${tokens}.away`, tokens);
    expect((await load()).epochs).toEqual([1, 2]);
  });
  it('refuses a PIN file that others may read', async () => {
    chmodSync(pinFile(), 0o644);
    await expect(load()).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    chmodSync(pinFile(), 0o600);
  });
  it.each([
    ['is not there', '07'],
    ['is too short', '09'],
    ['has no id', 'none'],
  ])('wraps nothing with a key that %s', async (_, keyId) => {
    const wrap = async () => pkcs11KeyWrapper({ ...options, keyId }).wrap(Buffer.alloc(32));
    await expect(wrap()).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });
  it('opens with the very key that wrapped, whatever else the token has', async () => {
    const wrapped = await pkcs11KeyWrapper(options).wrap(Buffer.alloc(32));
    const unwrap = (keyId: string) => pkcs11KeyWrapper({ ...options, keyId }).unwrap(wrapped);
    expect(await unwrap('01')).toEqual(Buffer.alloc(32));
    await expect(unwrap('02')).rejects.toThrow(expect.objectContaining({ name: 'AifiError' }));
    await expect(unwrap('07')).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });
});
