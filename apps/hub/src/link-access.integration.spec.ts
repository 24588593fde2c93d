/**
 * Goal: every method of the link answers the site of the certificate, with that site's own things,
 * and nobody else (T-AUTHZ, guard C1).
 * Method: a whole hub; the methods as the services define them; gateways with the own certificate,
 * another site's, none, one of a foreign authority, and with a person's token in the metadata.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createPublicKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Metadata, type ServiceError } from '@grpc/grpc-js';
import { LINK_METHOD_ACTS, ROLES, type Role } from '@aifi/access-authorisation';
import { verifyManifest } from '@aifi/contracts-manifests';
import { downlink, enrolment, uplink } from '@aifi/contracts-proto';
import { auditAnchorSchema } from '@aifi/contracts-rest';
import { sha256Hex } from '@aifi/shared-kernel';
import { partsOf, type GatewayStandIn } from '../test/gateway-stand-in.js';
import { makeRequest, type KeyAndRequest } from '../test/joining.js';
import { OTHER_SITE, OWN_SITE } from '../test/role-sign-in.js';
import { SeededHub } from '../test/seeded-hub.js';

type Method = keyof typeof LINK_METHOD_ACTS;
type Caller = 'own' | 'other' | 'none' | 'foreign' | 'bearer' | 'other with bearer';
/** What a call came to: an answer in short, or the number of a gRPC status. */
type Outcome = unknown;
interface Row {
  readonly call: (gateway: GatewayStandIn, metadata: Metadata) => Promise<Outcome>;
  readonly own: () => Outcome;
  /** The same call by another site: its own things, or NOT_FOUND. */
  readonly other: () => Outcome;
}
const NOT_FOUND = 5;
const FAILED_PRECONDITION = 9;
/** The handshake fails: no method is reached. */
const UNAVAILABLE = 14;

const sut = new SeededHub();
const gateways = new Map<Caller, GatewayStandIn>();
let calls = 0;
let csr: KeyAndRequest;
beforeAll(async () => {
  await sut.start();
  const { caFile } = sut.certificates.hub;
  const foreign = sut.certificatesOf('foreign', [OWN_SITE]).sites[OWN_SITE]!;
  gateways.set('own', sut.siteA).set('other', sut.siteB).set('other with bearer', sut.siteB);
  gateways.set('none', sut.gateway({ caFile })).set('bearer', sut.gateway({ caFile }));
  gateways.set('foreign', sut.gateway({ ...foreign, caFile }));
  csr = await makeRequest('gateway of another site');
  const { open } = sut.seeds;
  await sut.siteA.put(partsOf(open, 0, open.files[0]!));
}, 180_000);
afterAll(async () => {
  process.stdout.write(`access matrix of the link: ${calls} calls\n`);
  for (const gateway of gateways.values()) gateway.close();
  await sut.stop();
}, 60_000);

function unary<A>(send: (callback: (error: ServiceError | null, answer: A) => void) => unknown) {
  return new Promise<A>((resolve, reject) => {
    send((error, answer) => (error ? reject(error) : resolve(answer)));
  });
}
const keyOf = ({ manifest }: SeededHub['seeds']['open']) => {
  const { jobId, revision } = manifest;
  return { jobId, revision };
};
const heldOf = (sha256: readonly string[]): Outcome => ({
  ...{ heldSha256: sha256, stored: false, partial: [] },
});

/** In this order: the last one makes a job of that id at the other site. */
const ROWS: Readonly<Record<Method, Row>> = {
  getRoutingRules: {
    call: async ({ downlink: client }, metadata) => {
      const answer = await unary<downlink.GetRoutingRulesResponse>((callback) =>
        client.getRoutingRules({ heldSha256: '' }, metadata, callback),
      );
      const key = createPublicKey(readFileSync(sut.certificates.signingPublicKeyFile));
      verifyManifest(answer.rules, answer.signature, key);
      return 'signed rules';
    },
    own: () => 'signed rules',
    other: () => 'signed rules',
  },
  getAuditAnchors: {
    call: async ({ downlink: client }, metadata) => {
      const { anchors } = await unary<downlink.GetAuditAnchorsResponse>((callback) =>
        client.getAuditAnchors({ fromDay: '' }, metadata, callback),
      );
      const chains = anchors.map((anchor) => {
        return auditAnchorSchema.parse(JSON.parse(Buffer.from(anchor).toString())).chain;
      });
      return [...new Set(chains)];
    },
    own: () => [`hub:${OWN_SITE}`],
    other: () => [`hub:${OTHER_SITE}`],
  },
  streamOutcomes: {
    call: ({ downlink: client }, metadata) =>
      new Promise((resolve, reject) => {
        const call = client.streamOutcomes(metadata);
        call.on('error', reject);
        call.on('data', ({ part }: downlink.StreamOutcomesResponse) => {
          if (part?.$case !== 'header') return;
          const manifest = JSON.parse(Buffer.from(part.value.manifest).toString()) as {
            jobId: string;
          };
          resolve(manifest.jobId);
          call.cancel();
        });
        call.write({ part: { $case: 'cursor', value: { afterSequence: 0, exact: false } } });
      }),
    own: () => sut.seeds.concluded.manifest.jobId,
    other: () => sut.seeds.others.manifest.jobId,
  },
  streamControl: {
    call: ({ downlink: client }, metadata) =>
      new Promise((resolve, reject) => {
        const held = { killSequence: 0, rulesSha256: '', configurationSha256: '' };
        const call = client.streamControl(held, metadata);
        call.on('error', reject);
        call.on('data', ({ part }: downlink.StreamControlResponse) => {
          if (part?.$case !== 'killState') return;
          const key = createPublicKey(readFileSync(sut.certificates.signingPublicKeyFile));
          verifyManifest(part.value.state, part.value.signature, key);
          resolve('signed kill state');
          call.cancel();
        });
      }),
    own: () => 'signed kill state',
    other: () => 'signed kill state',
  },
  renew: {
    call: async ({ enrolment: client }, metadata) => {
      const { certificate } = await unary<enrolment.RenewResponse>((callback) =>
        client.renew({ csr: csr.der }, metadata, callback),
      );
      return new X509Certificate(certificate).subjectAltName;
    },
    own: () => `URI:spiffe://aifi/site/${OWN_SITE}/gw/1`,
    other: () => `URI:spiffe://aifi/site/${OTHER_SITE}/gw/1`,
  },
  getTrust: {
    call: async ({ enrolment: client }, metadata) => {
      const { configuration } = await unary<enrolment.GetTrustResponse>((callback) =>
        client.getTrust({}, metadata, callback),
      );
      return (JSON.parse(Buffer.from(configuration).toString()) as { siteId: string }).siteId;
    },
    own: () => OWN_SITE,
    other: () => OTHER_SITE,
  },
  putObjects: {
    call: ({ uplink: client }, metadata) =>
      new Promise((resolve, reject) => {
        const { concluded } = sut.seeds;
        const call = client.putObjects(metadata);
        call.on('error', reject);
        call.on('data', ({ part }: uplink.PutObjectsResponse) =>
          resolve(part?.$case === 'ack' ? part.value.sha256 : undefined),
        );
        for (const part of partsOf(concluded, 0, concluded.files[0]!)) call.write(part);
        call.end();
      }),
    own: () => sut.seeds.concluded.manifest.objects[0]!.sha256,
    other: () => NOT_FOUND,
  },
  closeStudy: {
    call: async ({ uplink: client }, metadata) => {
      const { concluded } = sut.seeds;
      const request = {
        ...keyOf(concluded),
        manifestSha256: sha256Hex(concluded.manifestBytes),
      };
      const answer = await unary<uplink.CloseStudyResponse>((callback) =>
        client.closeStudy(request, metadata, callback),
      );
      return answer.ack?.jobId;
    },
    own: () => sut.seeds.concluded.manifest.jobId,
    other: () => NOT_FOUND,
  },
  openStudy: {
    call: ({ uplink: client }, metadata) => {
      const { open } = sut.seeds;
      const request = { ...keyOf(open), manifest: open.manifestBytes, envelope: open.envelope };
      return unary<uplink.OpenStudyResponse>((callback) =>
        client.openStudy(request, metadata, callback),
      );
    },
    own: () => heldOf([sut.seeds.open.manifest.objects[0]!.sha256]),
    // The same ids and bytes would be a new job there, which other rules have selected.
    other: () => FAILED_PRECONDITION,
  },
};

function metadataOf(caller: Caller, role: Role): Metadata {
  const metadata = new Metadata();
  if (caller.endsWith('bearer')) metadata.set('authorization', `Bearer ${role}.own`);
  return metadata;
}
function expectedOf(caller: Caller, row: Row): Outcome {
  if (caller === 'own') return row.own();
  return caller.startsWith('other') ? row.other() : UNAVAILABLE;
}
async function outcomeOf(row: Row, caller: Caller, role: Role = 'hospital-it'): Promise<Outcome> {
  calls += 1;
  try {
    return await row.call(gateways.get(caller)!, metadataOf(caller, role));
  } catch (error) {
    return (error as ServiceError).code;
  }
}

describe('the link', () => {
  it('has a row for each method of its services', () => {
    const services = [
      ...[uplink.UplinkServiceService, downlink.DownlinkServiceService],
      enrolment.EnrolmentServiceService,
    ];
    const methods = services.flatMap((service) => Object.keys(service));
    expect(new Set(methods)).toEqual(new Set(Object.keys(ROWS)));
    expect(new Set(methods)).toEqual(new Set(Object.keys(LINK_METHOD_ACTS)));
  });
  it('answers nobody at another method', async () => {
    const { downlink: client } = sut.siteA;
    const path = '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo';
    const empty = (): Buffer => Buffer.alloc(0);
    const call = unary((callback) =>
      client.makeUnaryRequest(path, empty, empty, {}, (error, answer) => callback(error, answer)),
    );
    await expect(call).rejects.toMatchObject({ code: 12 });
  });
});

describe.each(Object.keys(ROWS) as Method[])('%s', (method) => {
  it.each<Caller>(['own', 'other', 'none', 'foreign', 'bearer', 'other with bearer'])(
    'with the certificate: %s',
    async (caller) => {
      const row = ROWS[method];
      await expect(outcomeOf(row, caller)).resolves.toEqual(expectedOf(caller, row));
    },
    60_000,
  );
  it.each(ROLES)(
    'the token of a person is no certificate, and adds nothing to one: %s',
    async (role) => {
      const row = ROWS[method];
      await expect(outcomeOf(row, 'bearer', role)).resolves.toEqual(UNAVAILABLE);
      await expect(outcomeOf(row, 'other with bearer', role)).resolves.toEqual(row.other());
    },
    60_000,
  );
});
