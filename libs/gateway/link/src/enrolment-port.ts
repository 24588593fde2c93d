/**
 * EnrolmentPort: what a gateway with a certificate asks of the hub to keep it.
 * Decides the shape that the keeper works with: texts in PEM, bytes as they were signed.
 * The gRPC adapter is below; the keeper's tests use one of their own.
 * Invariant: a call ends after ten seconds. Source: enrolment.proto.
 */
import { X509Certificate } from 'node:crypto';
import { credentials, Metadata, type ServiceError } from '@grpc/grpc-js';
import { enrolment } from '@aifi/contracts-proto';
import { AifiError } from '@aifi/shared-kernel';
import type { SignedConfiguration } from './received-trust.js';
import type { SwappableChannel } from './swappable-channel.js';

export interface EnrolmentPort {
  /** A certificate (PEM) for the key of the request (PKCS #10, PEM). */
  renew(csr: string): Promise<string>;
  /** What to trust and what is configured, as of now. */
  getTrust(): Promise<SignedConfiguration>;
}

/** @unit ms */
const DEADLINE_MS = 10_000;

export function grpcEnrolment(channel: SwappableChannel): EnrolmentPort {
  const client = new enrolment.EnrolmentServiceClient('hub', credentials.createInsecure(), {
    // The channel carries the credentials; those given here are not used.
    channelOverride: channel,
  });
  const options = (): { deadline: Date } => ({ deadline: new Date(Date.now() + DEADLINE_MS) });
  return {
    renew: async (csr) => {
      const request = { csr: derOf(csr) };
      const answer = await asked<enrolment.RenewResponse>((done) =>
        client.renew(request, new Metadata(), options(), done),
      );
      return pemOf(answer.certificate);
    },
    getTrust: async () => {
      const { configuration, signature } = await asked<enrolment.GetTrustResponse>((done) =>
        client.getTrust({}, new Metadata(), options(), done),
      );
      return { document: configuration, signature };
    },
  };
}

function asked<T>(
  call: (done: (error: ServiceError | null, answer: T) => void) => void,
): Promise<T> {
  return new Promise((resolve, reject) => {
    call((error, answer) => {
      if (!error) return resolve(answer);
      // gRPC: 14 UNAVAILABLE, 4 DEADLINE_EXCEEDED; anything else is an answer.
      const isAway = error.code === 14 || error.code === 4;
      const words = isAway ? 'the hub does not answer' : 'the hub refused';
      reject(new AifiError(isAway ? 'PEER_UNAVAILABLE' : 'PEER_REFUSED', words, { cause: error }));
    });
  });
}

const derOf = (pem: string): Buffer =>
  Buffer.from(pem.replace(/-----[^-]+-----/g, '').replace(/\s/g, ''), 'base64');

function pemOf(der: Uint8Array): string {
  try {
    return new X509Certificate(der).toString();
  } catch (error) {
    throw new AifiError('UNTRUSTED', 'what the hub sent is no certificate', { cause: error });
  }
}
