/**
 * HubEnrolment: everything of enrolment at a hub, opened over its database and files.
 * Decides which files are read when: anchors once, the hub's own certificate at each look, so that
 * a renewed one is taken up without a restart. Invariant: opened before the link listens.
 * Source: docs/adr/0021-enrolment.md.
 */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { KeyObject, X509Certificate } from 'node:crypto';
import type { HubDatabase } from '@aifi/hub-database';
import type { ServerIdentity } from '@aifi/hub-link';
import { AifiError, type Clock, type Purpose } from '@aifi/shared-kernel';
import type { Logger } from '@aifi/shared-observability';
import { AuthorityKeys } from './authority-keys.js';
import { systemRandomness, type Randomness } from './certificate-profile.js';
import { ExpiryWatch } from './expiry-watch.js';
import { HubAuthority } from './hub-authority.js';
import { HubTrust } from './hub-trust.js';
import { JoinService } from './join-service.js';
import { certificatesIn, serverChainOf, type ServerChain } from './pem-file.js';
import { RenewalService } from './renewal-service.js';
import { TrustBundles } from './trust-bundle.js';

export interface EnrolmentFiles {
  /** Authorities of the hub's own certificate; they vouch for no gateway. */
  readonly caFile: string;
  /** Authorities whose gateways need no record: development, first steps. */
  readonly gatewayCaFile?: string | undefined;
  readonly certificateFile: string;
  readonly keyFile: string;
  readonly nationalAnchorFiles: readonly string[];
}
export interface HubEnrolmentOptions {
  readonly database: HubDatabase;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly dataFolder: string;
  readonly purpose: Purpose;
  readonly signingKey: KeyObject;
  readonly files: EnrolmentFiles;
  /** Another one in tests only. */
  readonly randomness?: Randomness;
}

export class HubEnrolment {
  readonly authority: HubAuthority;
  readonly trust: HubTrust;
  readonly joining: JoinService;
  readonly renewal: RenewalService;
  readonly expiry: ExpiryWatch;
  readonly randomness: Randomness;
  /** Tells the control stream which configuration a gateway should have. */
  readonly configuration: TrustBundles['reference'];
  readonly #files: EnrolmentFiles;
  readonly #serverAnchors: readonly X509Certificate[];

  private constructor(options: HubEnrolmentOptions) {
    const { database, clock, dataFolder, files, logger } = options;
    this.randomness = options.randomness ?? systemRandomness;
    this.#files = files;
    const serverAnchors = certificatesOf([files.caFile], 'grpc.caFile');
    this.#serverAnchors = serverAnchors;
    const { gatewayCaFile } = files;
    const staticAnchors = certificatesOf(
      gatewayCaFile === undefined ? [] : [gatewayCaFile],
      'grpc.gatewayCaFile',
    );
    const nationalAnchors = certificatesOf(files.nationalAnchorFiles, 'grpc.nationalAnchorFiles');
    const keys = new AuthorityKeys(join(dataFolder, 'authority'));
    const shared = { database, clock, randomness: this.randomness };
    this.authority = new HubAuthority({ ...shared, keys });
    this.trust = new HubTrust({ database, clock, staticAnchors, nationalAnchors });
    const bundles = new TrustBundles({
      ...{ authority: this.authority, clock, serverAnchors },
      ...{ signingKey: options.signingKey, purpose: options.purpose },
      serverChain: () => this.serverChain(),
    });
    this.configuration = (peer) => bundles.reference(peer);
    const issuing = { ...shared, authority: this.authority, bundles };
    this.joining = new JoinService(issuing);
    this.renewal = new RenewalService(issuing);
    this.expiry = new ExpiryWatch({ database, clock, logger, authority: this.authority });
  }

  static async open(options: HubEnrolmentOptions): Promise<HubEnrolment> {
    const enrolment = new HubEnrolment(options);
    await enrolment.authority.open();
    return enrolment;
  }

  serverChain(): ServerChain {
    const text = textOf(this.#files.certificateFile, 'grpc.certificateFile');
    return serverChainOf(text, this.#serverAnchors);
  }

  /** What the hub shows to gateways, as the files say now. */
  readonly readIdentity = (): ServerIdentity => ({
    certificate: this.serverChain().chain,
    key: secretOf(this.#files.keyFile, 'grpc.keyFile'),
  });
}

const certificatesOf = (files: readonly string[], setting: string): X509Certificate[] =>
  files.flatMap((file) => certificatesIn(textOf(file, setting), setting));

/** As textOf; CONFIG_INVALID also when others than its owner may read it. */
function secretOf(path: string, setting: string): string {
  const text = textOf(path, setting);
  const { mode } = statSync(path);
  if ((mode & 0o077) === 0) return text;
  throw new AifiError('CONFIG_INVALID', `${setting} is open to others: mode 600 is needed`);
}

/** CONFIG_INVALID names the setting, not the file's content. */
function textOf(path: string, setting: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new AifiError('CONFIG_INVALID', `${setting} does not read`, { cause: error });
  }
}
