/**
 * The hub's one port as a gateway sees it, for tests: real TLS with client certificates, joining
 * with a token once, renewal, trust and a long stream over gRPC. Decides nothing for production.
 */
import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { createServer as createHttpServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import { Server as GrpcServer, ServerCredentials, type ServerDuplexStream } from '@grpc/grpc-js';
import {
  encodeManifest,
  gatewayConfigurationSchema,
  signManifest,
} from '@aifi/contracts-manifests';
import { downlink, enrolment } from '@aifi/contracts-proto';
import { formatJoinToken } from '../src/join-token.js';
import { TestAuthority, type Credential, type Validity } from './test-authority.js';

export interface TestHubOptions {
  readonly names?: readonly string[];
  readonly serverDates?: Validity;
  /** Of certificates of gateways. */
  readonly gatewayDates?: Validity;
  readonly siteId?: string;
  readonly purpose?: 'demonstration' | 'clinical';
  /** Takes the token and then says nothing. */
  readonly isMuteAfterToken?: boolean;
}
const SECRET = 'a-secret-of-one-token';

export class TestHub {
  readonly signing = generateKeyPairSync('ed25519');
  authority!: TestAuthority;
  server!: Credential;
  trustAnchors: string[] = [];
  signingKeys: string[] = [];
  issuedAtMs = 1;
  /** Signs the configuration. */
  signer = this.signing.privateKey;
  tokens = new Set([SECRET]);
  /** Serial numbers of the certificates that connected, in order. */
  readonly seen: string[] = [];
  readonly sockets = new Set<Socket>();
  /** Serial numbers of the certificates that it made for gateways, in order. */
  readonly issued: string[] = [];
  /** Requests with a token, good or not. */
  joins = 0;
  streams = 0;
  renewals = 0;
  /** Before each answer to who asks whom to trust. */
  beforeTrust: () => void = () => undefined;
  #tls!: Server;
  #grpc!: GrpcServer;
  #http = createHttpServer();
  port = 0;

  private constructor(readonly options: TestHubOptions) {}

  static async start(options: TestHubOptions = {}): Promise<TestHub> {
    const hub = new TestHub(options);
    hub.authority = await TestAuthority.make('test hub authority');
    hub.server = await hub.authority.server(options.names ?? ['localhost'], options.serverDates);
    hub.trustAnchors = [hub.authority.pem];
    hub.signingKeys = [pemOf(hub.signing.publicKey)];
    hub.#grpc = hub.#makeGrpc();
    hub.#http = hub.#makeHttp();
    hub.#tls = createServer({
      ...{ key: hub.server.key, cert: hub.server.certificate, ca: [hub.authority.pem] },
      ...{ requestCert: true, rejectUnauthorized: false },
      ALPNProtocols: ['h2', 'aifi-join/1', 'aifi-objects/1'],
    });
    const injector = hub.#grpc.createConnectionInjector(ServerCredentials.createInsecure());
    hub.#tls.on('secureConnection', (socket: TLSSocket) => {
      hub.sockets.add(socket);
      socket.on('error', () => undefined);
      socket.once('close', () => hub.sockets.delete(socket));
      if (socket.alpnProtocol === 'aifi-join/1') return void hub.#http.emit('connection', socket);
      if (!socket.authorized) return void socket.destroy();
      hub.seen.push(socket.getPeerCertificate().serialNumber.toLowerCase());
      if (socket.alpnProtocol === 'h2') injector.injectConnection(socket);
    });
    await new Promise<void>((done) => hub.#tls.listen(0, '127.0.0.1', done));
    hub.port = (hub.#tls.address() as AddressInfo).port;
    return hub;
  }

  get address(): string {
    return `localhost:${this.port}`;
  }
  async token(secret = SECRET): Promise<string> {
    const ca = await this.authority.fingerprint();
    return formatJoinToken({ v: 1, hub: this.address, ca, secret });
  }
  /** Another server certificate or authority from the next connection on. */
  async turnTo(authority: TestAuthority, accepted: readonly TestAuthority[]): Promise<void> {
    this.authority = authority;
    this.server = await authority.server(this.options.names ?? ['localhost']);
    const { key, certificate: cert } = this.server;
    this.#tls.setSecureContext({ key, cert, ca: accepted.map(({ pem }) => pem) });
  }
  /** Another certificate from the next connection on. */
  present({ key, certificate: cert }: Credential): void {
    this.#tls.setSecureContext({ key, cert, ca: [this.authority.pem] });
  }
  configuration(): { document: Buffer; signature: Buffer } {
    const { siteId = 'site-a', purpose = 'demonstration' } = this.options;
    const { issuedAtMs, signingKeys, trustAnchors } = this;
    const document = encodeManifest(gatewayConfigurationSchema, {
      ...{ schema: 'aifi.gateway-configuration.v1', siteId, gateway: 1, purpose },
      ...{ issuedAtMs, signingKeys, trustAnchors },
    });
    return { document, signature: signManifest(document, this.signer) };
  }
  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    this.#grpc.forceShutdown();
    await new Promise((done) => this.#tls.close(done));
  }

  async issue(csr: string | ArrayBuffer, nowMs?: number): Promise<string> {
    const uri = `spiffe://aifi/site/${this.options.siteId ?? 'site-a'}/gw/1`;
    const dates = { ...this.options.gatewayDates, ...(nowMs !== undefined && { nowMs }) };
    const pem = await this.authority.gateway(csr, uri, dates);
    this.issued.push(new X509Certificate(pem).serialNumber.toLowerCase());
    return pem;
  }

  #makeHttp() {
    return createHttpServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        this.joins += 1;
        const body = JSON.parse(Buffer.concat(chunks).toString()) as {
          secret: string;
          csr: string;
        };
        const isGood = request.url === '/join' && this.tokens.delete(body.secret);
        if (isGood && this.options.isMuteAfterToken) return void request.socket.destroy();
        if (!isGood) return void response.writeHead(409).end('{}');
        void this.#answer(body.csr).then((answer) => response.end(JSON.stringify(answer)));
      });
    });
  }
  async #answer(csr: string): Promise<object> {
    const { document, signature } = this.configuration();
    return {
      ...{ siteId: this.options.siteId ?? 'site-a', gateway: 1 },
      ...{ certificate: await this.issue(csr), trustAnchors: this.trustAnchors },
      signingKeys: this.signingKeys,
      configuration: {
        document: document.toString('base64'),
        signature: signature.toString('base64'),
      },
    };
  }

  #makeGrpc(): GrpcServer {
    const server = new GrpcServer();
    server.addService(enrolment.EnrolmentServiceService, {
      renew: (call: { request: enrolment.RenewRequest }, done: (e: null, r: object) => void) => {
        this.renewals += 1;
        const csr = Uint8Array.from(call.request.csr).buffer;
        void this.issue(csr).then((pem) => {
          const certificate = new X509Certificate(pem).raw;
          done(null, { certificate, trustAnchors: [], signingKeys: [] });
        });
      },
      getTrust: (_: unknown, done: (e: null, r: object) => void) => {
        this.beforeTrust();
        const { document: configuration, signature } = this.configuration();
        const empty = { trustAnchors: [], signingKeys: [], notAfterMs: 0 };
        done(null, { ...empty, configuration, signature });
      },
    });
    const stream = (
      call: ServerDuplexStream<downlink.StreamOutcomesRequest, downlink.StreamOutcomesResponse>,
    ): void => {
      this.streams += 1;
      call.on('data', () => call.write({} as never));
      call.on('end', () => call.end());
      call.on('error', () => undefined);
    };
    server.addService(downlink.DownlinkServiceService, {
      ...Object.fromEntries(
        Object.keys(downlink.DownlinkServiceService).map((name) => [name, () => undefined]),
      ),
      streamOutcomes: stream,
    });
    return server;
  }
}

const pemOf = (key: ReturnType<typeof generateKeyPairSync>['publicKey']): string =>
  (key as unknown as { export(o: object): string }).export({ format: 'pem', type: 'spki' });
