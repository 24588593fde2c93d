/**
 * Goal: what the page lays over the configuration passes the configuration's own rules or is not
 * ordered, and laying nothing over changes nothing.
 * Method: a whole configuration, parsed twice; settings that fit and that do not.
 */
import { describe, expect, it } from '@jest/globals';
import { plantedConfig } from '../test/planted-setup.js';
import { gatewayConfigSchema } from './gateway-config.js';
import { configOf, fixedSettings, layered, planOf } from './settings-in-force.js';

const base = plantedConfig();
const pacs = {
  ...{ host: 'pacs.hospital.test', port: 4242, calledAeTitle: 'PACS' },
  ...{ callingAeTitle: 'AIFI', commitment: false },
};
const control = fixedSettings(base);

describe(layered.name, () => {
  it('a parsed configuration parses again to itself', () => {
    expect(gatewayConfigSchema.parse(base)).toEqual(base);
    expect(configOf(base, {})).toEqual(base);
  });
  it('changes address and titles of the PACS and nothing else', () => {
    const { pacs: changed, ...rest } = configOf(base, { pacs });
    const { pacs: before, ...others } = base;
    expect(rest).toEqual(others);
    expect(changed).toEqual({ ...before, host: pacs.host, port: pacs.port });
  });
  it('commitment on takes its defaults, or what the file says of it', () => {
    const on = configOf(base, { pacs: { ...pacs, commitment: true } });
    expect(on.pacs.commitment).toEqual({ waitMs: 2_000, timeoutMs: 86_400_000 });
    const own = plantedConfig({ pacs: { ...base.pacs, commitment: { waitMs: 7 } } });
    const kept = configOf(own, { pacs: { ...pacs, commitment: true } });
    expect(kept.pacs.commitment?.waitMs).toBe(7);
    expect(configOf(own, { pacs }).pacs.commitment).toBeUndefined();
  });
  it('a caller is added, and one of the same title gets another address', () => {
    const callers = [
      { aeTitle: 'PACS', host: '10.0.0.9' },
      { aeTitle: 'CT1', host: '10.0.0.7' },
    ];
    expect(configOf(base, { callers }).dicom.callers).toEqual([
      { aeTitle: 'PACS', host: '10.0.0.9', plain: true, lane: 'routine' },
      { aeTitle: 'CT1', host: '10.0.0.7', plain: true, lane: 'routine' },
    ]);
  });
});

describe(planOf.name, () => {
  it('says what would change', () => {
    expect(planOf(control, { pacs })).toEqual({
      problems: [],
      changes: [
        { setting: 'pacs.host', from: '127.0.0.1', to: 'pacs.hospital.test' },
        { setting: 'pacs.port', from: '1', to: '4242' },
      ],
    });
  });
  it('says which rule of the configuration is broken, and changes nothing', () => {
    const stranger = { ...pacs, calledAeTitle: 'STRANGER', commitment: true };
    const { changes, problems } = planOf(control, { pacs: stranger });
    expect(changes).toEqual([]);
    expect(problems).toEqual([
      { setting: 'pacs.commitment', message: expect.stringContaining('one of dicom.callers') },
    ]);
  });
});
