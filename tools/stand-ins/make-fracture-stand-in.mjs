/**
 * Writes the artefact of the fracture stand-in, as it is committed, and prints its digest.
 * Run it after a change of the graph, then put the digest into manifest.yaml:
 *   node tools/stand-ins/make-fracture-stand-in.mjs [folder]
 */
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fractureStandIn } from './fracture-graph.mjs';

const committed = join(import.meta.dirname, '../../deploy/demo/models/fracture-stand-in');
const bytes = fractureStandIn();
writeFileSync(join(process.argv[2] ?? committed, 'model.onnx'), bytes);
console.log(createHash('sha256').update(bytes).digest('hex'), bytes.length, 'bytes');
