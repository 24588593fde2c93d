/**
 * Settings in force: the configuration file with what the wizard laid over it.
 * Decides which parts of the configuration the page can change, and that the result passes the same
 * schema as the file: nothing can be set on the page that could not stand there.
 * Invariant: a parsed configuration parses again to itself, so that laying nothing over changes
 * nothing (tested). Source: conventions "Remote settings: plan, validate, apply, roll back".
 */
import type { SetupPlan, SetupSettings } from '@aifi/contracts-rest';
import type { SettingsOverlay } from '@aifi/gateway-setup';
import { AifiError } from '@aifi/shared-kernel';
import { gatewayConfigSchema, type GatewayConfig } from './gateway-config.js';

/** How the page changes settings of a running gateway. */
export interface SettingsControl {
  /** The configuration file alone. */
  readonly base: GatewayConfig;
  readonly overlay: Pick<SettingsOverlay, 'order' | 'before' | 'view'>;
  /** Ends and starts all parts, a moment after the answer; false: it is under way already. */
  restart(): boolean;
  isRestarting(): boolean;
}

/** Of a gateway that nobody can restart with other settings. */
export const fixedSettings = (base: GatewayConfig): SettingsControl => ({
  base,
  overlay: {
    order: () => Promise.reject(new AifiError('STATE_CONFLICT', 'settings are fixed here')),
    before: () => undefined,
    view: () => ({ current: null, appliedAtMs: null, canUndo: false, rolledBackAtMs: null }),
  },
  ...{ restart: () => false, isRestarting: () => false },
});

type Parsed = ReturnType<typeof gatewayConfigSchema.safeParse>;

export function layered(base: GatewayConfig, settings: SetupSettings): Parsed {
  return gatewayConfigSchema.safeParse({
    ...base,
    pacs: pacsOf(base, settings.pacs),
    dicom: { ...base.dicom, callers: callersOf(base, settings.callers ?? []) },
  });
}

/** CONFIG_INVALID when they do not fit. */
export function configOf(base: GatewayConfig, settings: SetupSettings): GatewayConfig {
  const parsed = layered(base, settings);
  if (parsed.success) return parsed.data;
  throw new AifiError('CONFIG_INVALID', 'the settings of the page do not fit the configuration');
}

function pacsOf({ pacs }: GatewayConfig, laid: SetupSettings['pacs']): object {
  if (!laid) return pacs;
  const { commitment: isWanted, ...address } = laid;
  const { commitment, ...rest } = pacs;
  return { ...rest, ...address, ...(isWanted && { commitment: commitment ?? {} }) };
}

function callersOf(
  { dicom }: GatewayConfig,
  laid: NonNullable<SetupSettings['callers']>,
): object[] {
  const titles = new Set(laid.map(({ aeTitle }) => aeTitle));
  const kept = dicom.callers.filter(({ aeTitle }) => !titles.has(aeTitle));
  const changed = laid.map(({ aeTitle, host }) => {
    const before = dicom.callers.find((caller) => caller.aeTitle === aeTitle);
    return { ...before, aeTitle, host, plain: true };
  });
  return [...kept, ...changed];
}

/** What would change, and what the schema says against it. */
export function planOf(control: SettingsControl, settings: SetupSettings): SetupPlan {
  const { base, overlay } = control;
  const parsed = layered(base, settings);
  if (!parsed.success) {
    const problems = parsed.error.issues.map(({ path, message }) => ({
      ...{ setting: path.join('.'), message },
    }));
    return { changes: [], problems };
  }
  const now = factsOf(configOf(base, overlay.view().current ?? {}));
  const then = factsOf(parsed.data);
  const names = [...new Set([...Object.keys(now), ...Object.keys(then)])];
  const changes = names
    .map((setting) => ({ setting, from: now[setting] ?? '', to: then[setting] ?? '' }))
    .filter(({ from, to }) => from !== to);
  return { changes, problems: [] };
}

/** What the page can change, as people read it. */
function factsOf({ pacs, dicom }: GatewayConfig): Record<string, string> {
  const { host, port, calledAeTitle, callingAeTitle, commitment } = pacs;
  return {
    ...{ 'pacs.host': host, 'pacs.port': String(port), 'pacs.calledAeTitle': calledAeTitle },
    'pacs.callingAeTitle': callingAeTitle,
    'pacs.commitment': commitment ? 'on' : 'off',
    ...Object.fromEntries(
      dicom.callers.map((caller) => [`dicom.callers.${caller.aeTitle}`, caller.host ?? '']),
    ),
  };
}
