/**
 * SetupService: set-up and probe of the gateway, for hospital IT.
 * Decides that an order is on record before it is carried out, and that settings which the schema
 * refuses are never ordered. Invariant: an answer holds addresses and AE titles, nothing of a
 * patient. Source: security specification 5 (gateway config); docs/runbooks/set-up.md.
 */
import { Inject, Injectable } from '@nestjs/common';
import type { AuditSubject, Caller } from '@aifi/access-web';
import type {
  gatewayRoutes,
  ProbeView,
  RouteInput,
  SetupPlan,
  SetupView,
} from '@aifi/contracts-rest';
import type { ScuPeer } from '@aifi/dicom-dimse';
import { PROBE_INTERVAL_MS } from '@aifi/gateway-self-test';
import { AifiError } from '@aifi/shared-kernel';
import { SOURCES, type GatewaySources } from './gateway-sources.js';
import { planOf } from './settings-in-force.js';

type Routes = typeof gatewayRoutes;
type Settings = RouteInput<Routes['applySetup']>['body']['settings'];
/** Runs of the probe that are shown: two days. */
const RUNS_SHOWN = 200;

@Injectable()
export class SetupService {
  constructor(@Inject(SOURCES) private readonly sources: GatewaySources) {}

  view(caller: Caller): SetupView {
    caller.requireSite(this.sources.config.siteId);
    return this.#view();
  }

  check(caller: Caller, input: RouteInput<Routes['runSetupChecks']>): Promise<SetupView> {
    const { runner, peerOf, own, config } = this.sources.setup;
    const { checks, mayStore, pacs } = input.body;
    const { commitment } = pacs ?? { commitment: config.pacs.commitment !== undefined };
    return this.#order(caller, input, {
      detail: { checks: checks.join(' '), mayStore },
      carryOut: () => {
        const peer = peerOf(pacs);
        const order = { checks, mayStore, peer, own: own(), canReport: this.#canReport(peer) };
        runner.start({ ...order, isCommitmentWanted: commitment });
      },
    });
  }

  /** Reports are taken of the PACS in force, as far as the door lets it in. */
  #canReport({ calledAeTitle }: ScuPeer): boolean {
    const { pacs, dicom } = this.sources.setup.config;
    const isCaller = dicom.callers.some(({ aeTitle }) => aeTitle === calledAeTitle);
    return isCaller && pacs.calledAeTitle === calledAeTitle;
  }

  stopChecks(caller: Caller, input: RouteInput<Routes['stopSetupChecks']>): Promise<SetupView> {
    const { runner } = this.sources.setup;
    return this.#order(caller, input, { detail: {}, carryOut: () => runner.stop() });
  }

  plan(caller: Caller, { body }: RouteInput<Routes['planSetup']>): SetupPlan {
    const { config, setup } = this.sources;
    caller.requireSite(config.siteId);
    return planOf(setup.settings, body.settings);
  }

  apply(caller: Caller, input: RouteInput<Routes['applySetup']>): Promise<SetupView> {
    return this.#change(caller, input, input.body.settings);
  }
  undo(caller: Caller, input: RouteInput<Routes['undoSetup']>): Promise<SetupView> {
    return this.#change(caller, input, this.sources.setup.settings.overlay.before());
  }

  probes(caller: Caller): ProbeView {
    caller.requireSite(this.sources.config.siteId);
    return this.#probes();
  }
  async probe(caller: Caller, input: RouteInput<Routes['runProbe']>): Promise<ProbeView> {
    const { access, config, setup } = this.sources;
    caller.requireSite(config.siteId);
    const subject = { objectType: 'probe', objectId: config.siteId };
    caller.about(subject);
    return access.acts.order(caller, input, {
      ...{ order: {}, subject },
      carryOut: async () => {
        await setup.probe.run();
        return this.#probes();
      },
    });
  }

  #change(caller: Caller, input: unknown, settings: Settings | undefined): Promise<SetupView> {
    const { settings: control } = this.sources.setup;
    const plan = settings && planOf(control, settings);
    const changes = (plan?.changes ?? []).map(({ setting, to }) => [setting, to]);
    return this.#order(caller, input, {
      detail: Object.fromEntries(changes) as Record<string, string>,
      carryOut: async () => {
        if (!settings || !plan) throw new AifiError('STATE_CONFLICT', 'there is nothing to undo');
        if (plan.problems.length > 0) {
          throw new AifiError('INVALID_ARGUMENT', 'the configuration does not allow that');
        }
        await control.overlay.order(settings);
        control.restart();
      },
    });
  }

  #order(
    caller: Caller,
    input: unknown,
    act: {
      readonly detail: NonNullable<AuditSubject['detail']>;
      readonly carryOut: () => Promise<void> | void;
    },
  ): Promise<SetupView> {
    const { access, config } = this.sources;
    caller.requireSite(config.siteId);
    const subject = { objectType: 'setup', objectId: config.siteId, detail: act.detail };
    caller.about(subject);
    return access.acts.order(caller, input, {
      ...{ order: {}, subject },
      carryOut: async () => {
        await act.carryOut();
        return this.#view();
      },
    });
  }

  #probes(): ProbeView {
    const { probe } = this.sources.setup;
    return {
      intervalMs: PROBE_INTERVAL_MS,
      isRunning: probe.isRunning,
      runs: probe.list(RUNS_SHOWN),
    };
  }

  #view(): SetupView {
    const { runner, settings, config } = this.sources.setup;
    const { host, port, calledAeTitle, callingAeTitle, commitment, stow, tls } = config.pacs;
    const { aeTitle, callers, host: ownHost, port: plainPort, tls: ownTls } = config.dicom;
    return {
      pacs: { host, port, calledAeTitle, callingAeTitle, commitment: commitment !== undefined },
      callers: callers.map((caller) => ({
        ...{ aeTitle: caller.aeTitle, host: caller.host ?? null, isOverTls: !caller.plain },
      })),
      listener: { aeTitle, host: ownHost, port: plainPort ?? ownTls?.port ?? null },
      ...{ isDicomWeb: stow !== undefined, isTls: tls !== undefined },
      overlay: { ...settings.overlay.view(), isRestarting: settings.isRestarting() },
      isChecking: runner.isRunning,
      checks: runner.store.list(),
    };
  }
}
