/**
 * PKCS#11: the master key of the key file is wrapped by an RSA key pair that never leaves an HSM.
 * Decides how the HSM is asked: OpenSC's `pkcs11-tool` as a child process, keys through pipes, the
 * PIN in the child's own environment, never on a command line. Only opening needs the HSM's private
 * key; it happens once, at start. Invariants: an HSM that is away is PEER_UNAVAILABLE, a PIN that
 * it refuses CONFIG_INVALID (so that nobody tries on until it locks); no output of the tool gets
 * out.
 * Source: PKCS #11 (OASIS) 2.40; RFC 8017 7.1 (RSAES-OAEP); pkcs11-tool(1).
 */
import { spawn } from 'node:child_process';
import { constants, createPublicKey, publicEncrypt, type KeyObject } from 'node:crypto';
import { AifiError } from '@aifi/shared-kernel';
import { readSecretFile, type KeyWrapper } from './key-wrapper.js';

export interface Pkcs11Options {
  /** PKCS#11 library of the HSM's maker. */
  readonly modulePath: string;
  readonly tokenLabel: string;
  /** CKA_ID of the RSA key pair (3072 bits or more), hexadecimal: labels need not be unique. */
  readonly keyId: string;
  /** The PIN itself, or a file of mode 0600 that holds it. */
  readonly pin: { readonly value: string } | { readonly file: string };
  /**
   * Digest of OAEP and MGF1. Some tokens (SoftHSM 2) know SHA-1 only; in OAEP its collisions are no
   * weakness (RFC 8017 B.1). @default sha256
   */
  readonly oaepDigest?: 'sha1' | 'sha256';
  /** More environment for the library, such as the place of its configuration. */
  readonly environment?: Readonly<Record<string, string>>;
  /** @default pkcs11-tool */
  readonly tool?: string;
  /** @unit ms @default 15000 */
  readonly timeoutMs?: number;
}

const DIGEST_WORDS = {
  sha1: ['--hash-algorithm', 'SHA-1', '--mgf', 'MGF1-SHA1'],
  sha256: ['--hash-algorithm', 'SHA256', '--mgf', 'MGF1-SHA256'],
} as const;
const PIN_VARIABLE = 'AIFI_PKCS11_PIN';
/** More than a wrapped key or a public key; a tool that prints more is not ours. @unit bytes */
const OUTPUT_BYTES_MAX = 64 * 1024;
const TIMEOUT_MS = 15_000;
const MODULUS_BITS_MIN = 3072; // 128-bit strength, NIST SP 800-57 part 1, table 2
const SYSTEM_PATH = '/usr/local/bin:/usr/bin:/bin';
/** PKCS #11 return values that say the PIN, not the HSM, is the matter. */
const PIN_REFUSED = /CKR_PIN_(INCORRECT|LOCKED|EXPIRED|INVALID|LEN_RANGE)/;
const KEY_MISSING = /(key|object) not found/i;
const NOT_WRAPPED_HERE = /CKR_ENCRYPTED_DATA_(INVALID|LEN_RANGE)/;
const KEY_ID = /^([0-9a-f]{2}){1,32}$/;

export function pkcs11KeyWrapper(options: Pkcs11Options): KeyWrapper {
  const { tokenLabel, keyId, oaepDigest = 'sha256' } = options;
  if (!KEY_ID.test(keyId)) throw new AifiError('CONFIG_INVALID', 'not an id of a key in an HSM');
  return {
    id: `pkcs11:token=${tokenLabel};id=${keyId}`,
    wrap: async (bytes) => {
      const key = await publicKeyOf(options);
      const padding = constants.RSA_PKCS1_OAEP_PADDING;
      return publicEncrypt({ key, padding, oaepHash: oaepDigest }, bytes);
    },
    unwrap: async (wrapped) => {
      const words = ['--login', '--pin', `env:${PIN_VARIABLE}`, '--decrypt'];
      const mechanism = ['--mechanism', 'RSA-PKCS-OAEP', ...DIGEST_WORDS[oaepDigest]];
      const pin = await pinOf(options);
      return ask(options, [...words, ...mechanism], { pin, input: wrapped });
    },
  };
}

async function publicKeyOf(options: Pkcs11Options): Promise<KeyObject> {
  const der = await ask(options, ['--read-object', '--type', 'pubkey'], {});
  let key: KeyObject;
  try {
    key = createPublicKey({ key: der, format: 'der', type: 'spki' });
  } catch (error) {
    const words = 'the HSM has no RSA key of this id';
    throw new AifiError('CONFIG_INVALID', words, { cause: error });
  }
  if ((key.asymmetricKeyDetails?.modulusLength ?? 0) >= MODULUS_BITS_MIN) return key;
  throw new AifiError('CONFIG_INVALID', `the HSM's key is no RSA key of ${MODULUS_BITS_MIN} bits`);
}

async function pinOf({ pin }: Pkcs11Options): Promise<string> {
  if ('value' in pin) return pin.value;
  return (await readSecretFile(pin.file, "the HSM's PIN file")).toString('utf8').trim();
}

interface Question {
  readonly pin?: string;
  readonly input?: Uint8Array;
}

/** Runs the tool once; what it writes to standard output. */
function ask(options: Pkcs11Options, words: readonly string[], question: Question) {
  const { modulePath, tokenLabel, keyId, tool = 'pkcs11-tool' } = options;
  const place = ['--module', modulePath, '--token-label', tokenLabel, '--id', keyId];
  const child = spawn(tool, [...place, ...words], {
    stdio: ['pipe', 'pipe', 'pipe'],
    signal: AbortSignal.timeout(options.timeoutMs ?? TIMEOUT_MS),
    killSignal: 'SIGKILL',
    env: {
      PATH: SYSTEM_PATH,
      LC_ALL: 'C',
      ...options.environment,
      ...(question.pin !== undefined && { [PIN_VARIABLE]: question.pin }),
    },
  });
  const output = collected(child.stdout);
  const complaint = collected(child.stderr);
  // A tool that ends before it has read gives EPIPE here: its exit code says more.
  child.stdin.on('error', () => undefined);
  child.stdin.end(question.input ?? new Uint8Array());
  return new Promise<Buffer>((resolve, reject) => {
    child.once('error', (cause) => {
      reject(
        cause.name === 'AbortError'
          ? new AifiError('PEER_UNAVAILABLE', 'the HSM does not answer')
          : new AifiError('CONFIG_INVALID', 'pkcs11-tool cannot be run', { cause }),
      );
    });
    child.once('close', (code) => {
      if (code === 0) resolve(Buffer.concat(output));
      else reject(refusal(Buffer.concat(complaint).toString('latin1')));
    });
  });
}

function collected(stream: NodeJS.ReadableStream): Buffer[] {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  stream.on('data', (chunk: Buffer) => {
    sizeBytes += chunk.length;
    if (sizeBytes <= OUTPUT_BYTES_MAX) chunks.push(chunk);
  });
  return chunks;
}

function refusal(complaint: string): AifiError {
  if (PIN_REFUSED.test(complaint)) {
    return new AifiError('CONFIG_INVALID', 'the HSM refuses the PIN');
  }
  if (KEY_MISSING.test(complaint)) {
    return new AifiError('CONFIG_INVALID', 'the HSM has no RSA key of this id');
  }
  if (NOT_WRAPPED_HERE.test(complaint)) {
    return new AifiError('UNTRUSTED', 'the HSM did not wrap this master key');
  }
  return new AifiError('PEER_UNAVAILABLE', 'the HSM does not open the master key');
}
