/**
 * The uplink's questions over gRPC.
 * Decides how a gRPC status becomes an answer, a refusal or a broken link: by the code that the hub
 * adds, and by the status alone when something else answered.
 * Invariants: every call ends, by the hub, by the signal or by its deadline; no text of the wire
 * is read. Source: aifi/uplink/v1/uplink.proto; gRPC status codes.
 */
import { Metadata, status as grpcStatus, type ServiceError } from '@grpc/grpc-js';
import type { AifiError, Clock, ErrorCode } from '@aifi/shared-kernel';
import type { uplink } from '@aifi/contracts-proto';
import { isErrorCode, refusal, type UplinkAnswer, type UplinkPort } from './uplink-port.js';

/** Answer of a unary call; that of the largest study lists 50,000 digests. @unit ms */
const UNARY_MS_MAX = 30_000;

/** What a status means that came without a code of ours: a proxy, TLS, or the library said it. */
const CODE_OF_STATUS: Readonly<Partial<Record<number, ErrorCode>>> = {
  [grpcStatus.INVALID_ARGUMENT]: 'INVALID_ARGUMENT',
  [grpcStatus.FAILED_PRECONDITION]: 'STATE_CONFLICT',
  [grpcStatus.ALREADY_EXISTS]: 'STATE_CONFLICT',
  [grpcStatus.PERMISSION_DENIED]: 'FORBIDDEN',
  [grpcStatus.UNAUTHENTICATED]: 'UNAUTHENTICATED',
  [grpcStatus.NOT_FOUND]: 'NOT_FOUND',
};

/** The code of the hub behind a status; PEER_UNAVAILABLE when the hub said nothing. */
export function codeOfStatus(error: ServiceError): ErrorCode {
  const [said] = error.metadata?.get('aifi-code') ?? [];
  if (isErrorCode(said)) return said;
  // Statuses of the library itself have no code: a reset stream is INTERNAL, too, but no answer.
  return CODE_OF_STATUS[error.code] ?? 'PEER_UNAVAILABLE';
}

/** `client` is asked for each call: a renewed certificate comes with a new one. */
export function createGrpcUplinkPort(
  client: () => Pick<uplink.UplinkServiceClient, 'openStudy' | 'closeStudy'>,
  clock: Clock,
): UplinkPort {
  return {
    openStudy: (request, signal) =>
      unary<uplink.OpenStudyResponse>(
        (callback) => client().openStudy(request, new Metadata(), callback),
        { clock, signal },
      ),
    closeStudy: (request, signal) =>
      unary<uplink.CloseStudyResponse>(
        (callback) => client().closeStudy(request, new Metadata(), callback),
        { clock, signal },
      ),
  };
}

type Callback<T> = (error: ServiceError | null, response: T) => void;

/** The deadline runs on our monotonic clock: that of gRPC is a moment of the wall clock. */
async function unary<T>(
  call: (callback: Callback<T>) => { cancel(): void },
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<UplinkAnswer<T>> {
  const done = new AbortController();
  const asked = new Promise<UplinkAnswer<T>>((resolve, reject) => {
    const pending = call((error, response) => {
      if (!error) return resolve({ kind: 'answered', value: response });
      try {
        resolve(refusal(codeOfStatus(error), error));
      } catch (fault) {
        reject(fault as AifiError);
      }
    });
    const cancel = (): void => pending.cancel();
    signal.addEventListener('abort', cancel, { signal: done.signal });
    void clock.sleep(UNARY_MS_MAX, done.signal).then(cancel);
    if (signal.aborted) cancel();
  });
  try {
    return await asked;
  } finally {
    done.abort();
  }
}
