/**
 * A whole hub with two sites, for tests of who may do what: embedded PostgreSQL, link with real
 * certificates, roles by bearer token. Site A has a concluded study and one still open, site B has
 * one. Decides nothing; `calls` counts every request that went through it.
 */
import { join } from 'node:path';
import { removeServerFolder } from '@aifi/hub-database';
import type { ModelManifest } from '@aifi/contracts-manifests';
import { freePorts, temporaryFolder } from '@aifi/shared-testing';
import { silentLogger } from '@aifi/shared-observability';
import { hubConfigSchema, type HubConfig } from '../src/hub-config.js';
import { startHub, type RunningHub } from '../src/hub.js';
import { GatewayStandIn, type TestStudy } from './gateway-stand-in.js';
import { hubSettings, makeCertificates, makeModel, type Certificates } from './hub-fixtures.js';
import { openRoleSignIn, OTHER_SITE, OWN_SITE } from './role-sign-in.js';
import { WorkerStandIn } from './worker-stand-in.js';

export interface Seeds {
  /** Of site A: with an outcome that waits. */
  readonly concluded: TestStudy;
  /** Of site A: declared, without objects. */
  readonly open: TestStudy;
  /** Of site B: with an outcome that waits. */
  readonly others: TestStudy;
}

export class SeededHub {
  readonly #folder = temporaryFolder('hub-access');
  readonly worker = new WorkerStandIn();
  calls = 0;
  hub!: RunningHub;
  config!: HubConfig;
  certificates!: Certificates;
  model!: ModelManifest;
  seeds!: Seeds;
  siteA!: GatewayStandIn;
  siteB!: GatewayStandIn;

  async start(): Promise<void> {
    const { path } = this.#folder;
    this.certificates = makeCertificates(join(path, 'certs'), [OWN_SITE, OTHER_SITE]);
    this.model = await makeModel(join(path, 'models'));
    const [httpPort] = await freePorts(1);
    this.config = hubConfigSchema.parse({
      ...hubSettings(path, this.certificates, this.model, [OWN_SITE, OTHER_SITE]),
      http: { host: '127.0.0.1', port: httpPort },
      publicUrl: `http://localhost:${httpPort}`,
      workerUrl: await this.worker.start(),
    });
    this.hub = await startHub(this.config, silentLogger, openRoleSignIn);
    this.siteA = this.gateway(this.certificates.sites[OWN_SITE]!);
    this.siteB = this.gateway(this.certificates.sites[OTHER_SITE]!);
    this.seeds = await this.#seed();
  }
  async stop(): Promise<void> {
    this.siteA?.close();
    this.siteB?.close();
    await this.hub?.stop();
    this.worker.stop();
    if (this.config) await removeServerFolder(this.config.dataFolder);
    this.#folder.remove();
  }
  gateway(files: ConstructorParameters<typeof GatewayStandIn>[1]): GatewayStandIn {
    return new GatewayStandIn(this.hub.linkPort!, files);
  }
  certificatesOf(name: string, sites: readonly string[]): Certificates {
    return makeCertificates(join(this.#folder.path, name), sites);
  }

  /** One request as somebody of the tokens of role-sign-in; undefined: nobody. */
  async call(token: string | undefined, path: string, init: RequestInit = {}): Promise<Response> {
    this.calls += 1;
    const headers = new Headers(init.headers);
    if (token !== undefined) headers.set('authorization', `Bearer ${token}`);
    const url = `http://127.0.0.1:${this.hub.httpPort}${path}`;
    return fetch(url, { redirect: 'manual', ...init, headers });
  }
  /** A POST with a fresh idempotency key. */
  post(token: string | undefined, path: string, body: unknown): Promise<Response> {
    const headers = {
      'content-type': 'application/json',
      'idempotency-key': `test-${this.calls}-${Math.trunc(performance.now())}`,
    };
    return this.call(token, path, { method: 'POST', headers, body: JSON.stringify(body) });
  }

  async #seed(): Promise<Seeds> {
    const seeds = {
      concluded: await this.siteA.study(this.model),
      open: await this.siteA.study(this.model),
      others: await this.siteB.study(this.model),
    };
    await this.siteA.send(seeds.concluded);
    await this.siteA.open(seeds.open);
    await this.siteB.send(seeds.others);
    await this.siteA.pull(1, () => false);
    await this.siteB.pull(1, () => false);
    return seeds;
  }
}
