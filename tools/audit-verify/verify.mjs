/**
 * Verifies an export of the audit trail without any code of the platform (Node 20 or later):
 *   node verify.mjs export.ndjson anchors.json [--public-key key.pem]
 * Decides whether each record is what was written, in its place, with nothing missing before, and
 * whether every signed daily anchor lies on its chain. Give the public key from a place of your
 * own: without it the key that came with the anchors is believed.
 * Names the first entry that is wrong and exits 1; exits 0 when all is well.
 * Source: the format on one page, libs/access/audit/README.md.
 */
import { createHash, createPublicKey, verify } from 'node:crypto';
import { createReadStream, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

const fail = (words) => {
  console.error(words);
  process.exit(1);
};
let count = 0;
process.on('uncaughtException', ({ message }) => fail(`after ${count} records: ${message}`));

const canonical = (value) => {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  const members = Object.keys(value).sort();
  return `{${members.map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`).join(',')}}`;
};
const options = { 'public-key': { type: 'string' } };
const { values, positionals } = parseArgs({ allowPositionals: true, options });
if (positionals.length !== 2) fail('usage: verify.mjs export.ndjson anchors.json [--public-key f]');
const { anchors, publicKeyPem } = JSON.parse(readFileSync(positionals[1], 'utf8'));
const keyFile = values['public-key'];
const key = createPublicKey(keyFile ? readFileSync(keyFile, 'utf8') : publicKeyPem);
const isOld = (anchor) => anchor.madeAtMs < new Date().setFullYear(new Date().getFullYear() - 5);

// Not node:readline, which takes U+2028 for the end of a line.
async function* linesOf(file) {
  let rest = '';
  for await (const chunk of createReadStream(file, 'utf8')) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop();
    yield* lines;
  }
  if (rest !== '') yield rest;
}

const [signed, ends, starts] = [new Map(), new Map(), new Map()];
for (const anchor of anchors) {
  const { signature, ...rest } = anchor;
  const [bytes, seal] = [Buffer.from(canonical(rest)), Buffer.from(signature, 'base64')];
  const isSigned = verify(null, bytes, key, seal);
  if (!isSigned) fail(`${anchor.chain}, anchor of ${anchor.day}: not signed by this key`);
  signed.set(`${anchor.chain} ${anchor.sequence} ${anchor.hash}`, anchor);
}
for await (const line of linesOf(positionals[0])) {
  const { hash, ...rest } = JSON.parse(line);
  const { chain, sequence, previousHash } = rest;
  const wrong = (words) => fail(`${chain}, record ${sequence} (line ${count + 1}): ${words}`);
  let end = ends.get(chain) ?? { sequence: 0, hash: '0'.repeat(64) };
  const deleted = signed.get(`${chain} ${sequence - 1} ${previousHash}`);
  if (!ends.has(chain) && deleted && isOld(deleted)) end = deleted;
  if (!ends.has(chain)) starts.set(chain, end.sequence);
  if (sequence !== end.sequence + 1) wrong(`after record ${end.sequence} of this chain`);
  const digest = createHash('sha256').update(canonical(rest)).digest('hex');
  if (digest !== hash) wrong('edited, its hash is not that of its content');
  if (previousHash !== end.hash) wrong('it does not continue the record before it');
  ends.set(chain, { sequence, hash });
  signed.delete(`${chain} ${sequence} ${hash}`);
  count++;
}
// What is left was signed and not met: only what retention has deleted may be.
for (const anchor of signed.values()) {
  if (isOld(anchor) && anchor.sequence <= (starts.get(anchor.chain) ?? Infinity)) continue;
  fail(`${anchor.chain}, record ${anchor.sequence}: signed on ${anchor.day}, not in the export`);
}
console.log(`${count} records in ${ends.size} chains and ${anchors.length} anchors are as written`);
