/**
 * Verification of one object: every check that needs no other object but its own original.
 * Decides which elements are looked at and collects what the set is told afterwards.
 * Invariant: pure; reads nothing but what it is given, so that thousands of damaged objects can be
 * tried in a test. Source: PS3.10 7.1; pseudonymisation specification 2.2 (b, e, f, g, h).
 */
import {
  IMPLEMENTATION_CLASS_UID,
  IMPLEMENTATION_VERSION_NAME,
  keywordOf,
  type DicomDataset,
  type FileMeta,
} from '@aifi/dicom-core';
import { AifiError } from '@aifi/shared-kernel';
import { failed, tagText, type ObjectFinding } from './finding.js';
import { claimedCodes, EQUIPMENT_TAG, markerFindings } from './marker-checks.js';
import { placesOf, type Place } from './object-walk.js';
import { profileFinding, type Claims, type PatientCharacteristic } from './profile-oracle.js';
import { structureFinding } from './structure-checks.js';
import { knownWords, textFindings } from './text-scan.js';
import { dateFindings, keptFinding, uidFindings, type Comparison } from './value-checks.js';
import { isForeignUid } from './uid-form.js';

/** One Part 10 file, without its pixel data. */
export interface ReadObject {
  readonly preamble: Uint8Array;
  readonly meta: FileMeta;
  readonly metaDataset: DicomDataset;
  readonly dataset: DicomDataset;
  /** SHA-256 of the value of Pixel Data as stored; undefined without pixel data. */
  readonly pixelsSha256: string | undefined;
}
export interface ObjectOptions {
  readonly original?: ReadObject | undefined;
  /** @default age and sex */
  readonly retain?: readonly PatientCharacteristic[] | undefined;
}
export interface ObjectVerification extends Comparison {
  readonly findings: readonly ObjectFinding[];
  /** It claims that regions of its pixels were blacked out. */
  readonly isCleaned: boolean;
}

/** Group 0002 of an output: what PS3.10 asks for, and the name of the writer. */
const META_TAGS = new Set([
  ...[0x00020000, 0x00020001, 0x00020002, 0x00020003, 0x00020010, 0x00020012, 0x00020013],
]);
/** The writer is the gateway; names of modalities are no business of the hub. */
const WRITER = [
  [0x00020012, IMPLEMENTATION_CLASS_UID],
  [0x00020013, IMPLEMENTATION_VERSION_NAME],
] as const;
const NO_WORDS: ReadonlySet<string> = new Set();
const DEFAULT_RETAINED: readonly PatientCharacteristic[] = ['age', 'sex'];

export function verifyObject(object: ReadObject, options: ObjectOptions = {}): ObjectVerification {
  const seen: Comparison = { offsetsDays: new Set(), uids: new Map() };
  const findings: ObjectFinding[] = [];
  let isCleaned = false;
  try {
    isCleaned = claimedCodes(object.dataset).has('113101');
    findings.push(...fileFindings(object), ...markerFindings(object.dataset));
    findings.push(...elementFindings(object, options, seen));
    findings.push(...pixelFindings(object, options.original));
  } catch (error) {
    // Text that does not decode, or a number that is none: nobody can say what it holds.
    if (AifiError.from(error).code !== 'DICOM_MALFORMED') throw error;
    findings.push(failed('text.encoding'));
  }
  if (seen.offsetsDays.size > 1) findings.push(failed('date.interval'));
  return { findings, isCleaned, ...seen };
}

function* fileFindings({
  preamble,
  meta,
  metaDataset,
  dataset,
}: ReadObject): Generator<ObjectFinding> {
  if (preamble.length !== 128 || preamble.some((byte) => byte !== 0)) {
    yield failed('file.preamble');
  }
  for (const { tag } of metaDataset) {
    if (!META_TAGS.has(tag)) yield failed('file.meta', tagText(tag));
  }
  if (meta.sopClassUid !== dataset.string('SOPClassUID')) {
    yield failed('file.meta', '(0002,0002)');
  }
  const isOwnUid = meta.sopInstanceUid === dataset.string('SOPInstanceUID');
  if (!isOwnUid || isForeignUid(meta.sopInstanceUid)) yield failed('file.meta', '(0002,0003)');
  for (const [tag, ours] of WRITER) {
    if (metaDataset.string(tag) !== ours) yield failed('file.meta', tagText(tag));
  }
  for (const keyword of ['StudyInstanceUID', 'SeriesInstanceUID', 'SOPInstanceUID']) {
    const uid = dataset.string(keyword) ?? '';
    if (!uid.startsWith('2.25.')) yield failed('uid.form', tagText(dataset.get(keyword)?.tag ?? 0));
  }
  if (dataset.string('PatientID') === undefined) yield failed('profile.pseudonym', '(0010,0020)');
  if (dataset.string('PatientName') !== dataset.string('PatientID')) {
    yield failed('profile.pseudonym', '(0010,0010)');
  }
  if (dataset.string('StudyID') === undefined) yield failed('profile.pseudonym', '(0020,0010)');
  if (dataset.string('SpecificCharacterSet') !== 'ISO_IR 192') yield failed('text.encoding');
}

function* elementFindings(
  { dataset }: ReadObject,
  { original, retain = DEFAULT_RETAINED }: ObjectOptions,
  seen: Comparison,
): Generator<ObjectFinding> {
  const claims: Claims = { codes: claimedCodes(dataset), retain: new Set(retain) };
  const known = original ? knownWords(original.dataset) : NO_WORDS;
  for (const place of placesOf(dataset, original?.dataset)) {
    const structure = structureFinding(place);
    if (structure) yield structure;
    // The engine's own statement replaces what was there: the original does not matter.
    const isOwn = isOwnStatement(place);
    yield* textFindings(place, isOwn ? NO_WORDS : known);
    if (isOwn) continue;
    const profile = profileFinding(place, claims);
    if (profile) yield profile;
    yield* dateFindings(place, seen);
    yield* uidFindings(place, seen);
    const kept = keptFinding(place, claims.codes.has('113101'));
    if (kept) yield kept;
  }
}
const OWN_STATEMENTS = new RegExp(
  `^\\${tagText(EQUIPMENT_TAG).slice(0, -1)}\\)|^\\(0012,006[234]\\)`,
);
const isOwnStatement = ({ path }: Place): boolean => OWN_STATEMENTS.test(path);

/** Bytes of the pixel data are copied; only a claim of cleaned pixels says otherwise. */
function* pixelFindings(object: ReadObject, original?: ReadObject): Generator<ObjectFinding> {
  if (!original || claimedCodes(object.dataset).has('113101')) return;
  if (object.pixelsSha256 !== original.pixelsSha256) yield failed('pixels.changed', '(7FE0,0010)');
}

/** Keyword or number of the last attribute of a path, for people. */
export function attributeOf(path: string): string {
  const match = /\(([0-9A-F]{4}),([0-9A-F]{4})\)$/.exec(path);
  return match ? keywordOf(Number.parseInt(match[1]! + match[2]!, 16)) : '';
}
