/**
 * Parts of a hub: database, object store, models, signing key, opened in order.
 * Decides that recovery and enrolment are done before anything listens or claims work.
 * Invariant: a deployment without its model package refuses the start.
 * Source: reliability specification F14; architecture 3.
 */
import { createPrivateKey, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { AifiError, systemClock, type Clock } from '@aifi/shared-kernel';
import {
  enrolSites,
  HubDatabase,
  releaseAllClaims,
  startEmbeddedPostgres,
  type ConfiguredSite,
  type DatabaseUrls,
} from '@aifi/hub-database';
import { loadModels, type ModelRegistry } from '@aifi/hub-models';
import { FolderObjectStore } from '@aifi/hub-object-store';
import { publishRules } from '@aifi/hub-route';
import { ChangeBell } from '@aifi/access-web';
import { HubAccess } from '@aifi/hub-access';
import { HubEnrolment } from '@aifi/hub-enrolment';
import type { Logger } from '@aifi/shared-observability';
import { HubAssurance } from './hub-assurance.js';
import type { HubConfig } from './hub-config.js';

/** Token of HubParts. */
export const HUB_PARTS = Symbol('hub parts');

export interface HubParts {
  readonly config: HubConfig;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly database: HubDatabase;
  /** Sessions, approvals, acts and the audit trail. */
  readonly access: HubAccess;
  /** Tells open pages which lists have changed. */
  readonly changes: ChangeBell;
  /** Certificates of gateways: who is let in at the link. */
  readonly enrolment: HubEnrolment;
  readonly store: FolderObjectStore;
  readonly models: ModelRegistry;
  readonly signingKey: KeyObject;
  /** Checks of stored objects and of the invariants. */
  readonly assurance: HubAssurance;
  /** Resolves when an embedded server has ended; never for an external one. */
  readonly databaseEnded: Promise<void>;
  close(): Promise<void>;
}

/** Opens everything that a hub needs before it listens. */
export async function openHubParts(config: HubConfig, logger: Logger): Promise<HubParts> {
  const clock = systemClock;
  const signingKey = readSigningKey(config.signingKeyFile);
  const models = await loadModels(config.modelsFolder);
  const sites = configuredSites(config, models);
  const server = await openServer(config, clock);
  try {
    const database = await HubDatabase.open(server.urls);
    const store = new FolderObjectStore(join(config.dataFolder, 'objects'));
    const findModel = models.get.bind(models);
    await enrolSites(database, sites, (sql, site) =>
      publishRules(sql, site, { findModel, signingKey, clock }),
    );
    const { dataFolder, purpose, grpc: files } = config;
    const enrolment = await HubEnrolment.open({
      ...{ database, clock, logger, dataFolder, purpose, signingKey, files },
    });
    if (config.database.kind === 'embedded') {
      // This process has database and objects to itself: whatever is unfinished died with the last.
      await releaseAllClaims(database);
      await store.removeUnfinished(clock.nowMs());
    }
    const close = async (): Promise<void> => {
      await database.close();
      await server.stop();
    };
    const { ended: databaseEnded } = server;
    const access = new HubAccess({ database, clock });
    const own = { config, logger, clock, models, signingKey, changes: new ChangeBell() };
    const assurance = new HubAssurance({ ...own, database, store, config: config.digests });
    return { ...own, database, access, enrolment, store, assurance, databaseEnded, close };
  } catch (error) {
    await server.stop();
    throw error;
  }
}

interface Server {
  readonly urls: DatabaseUrls;
  readonly ended: Promise<void>;
  stop(): Promise<void>;
}

async function openServer({ database, dataFolder }: HubConfig, clock: Clock): Promise<Server> {
  if (database.kind === 'embedded') return startEmbeddedPostgres({ dataFolder, clock });
  return { urls: database, ended: new Promise(() => undefined), stop: async () => undefined };
}

/** PEM of a secret; CONFIG_INVALID names the setting, not the file's content. */
export function readSecret(path: string, setting: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new AifiError('CONFIG_INVALID', `${setting} does not read`, { cause: error });
  }
}

function readSigningKey(path: string): KeyObject {
  let key: KeyObject | undefined;
  try {
    key = createPrivateKey(readSecret(path, 'signingKeyFile'));
  } catch (error) {
    if (error instanceof AifiError) throw error;
  }
  if (key?.asymmetricKeyType !== 'ed25519') {
    throw new AifiError('CONFIG_INVALID', 'signingKeyFile is not an Ed25519 private key');
  }
  return key;
}

function configuredSites(config: HubConfig, models: ModelRegistry): ConfiguredSite[] {
  const { purpose, deployments } = config;
  const bySite = Map.groupBy(deployments, (deployment) => deployment.siteId);
  return [...bySite].map(([siteName, own]) => ({
    siteName,
    purpose,
    deployments: own.map(({ product, version, state }) => {
      const model = models.get(product, version);
      if (!model) {
        throw new AifiError('CONFIG_INVALID', `deployment of ${product} ${version}: no package`);
      }
      return { product, version, state, modelDigest: model.artefact.sha256 };
    }),
  }));
}
