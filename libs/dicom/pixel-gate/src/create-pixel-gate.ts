/**
 * createPixelGate: header rules, known layouts, tiers and the examination in one judgement.
 * Decides in this order: what never leaves, be it by its attributes or by bits that are not stored;
 * what a person has released (known layouts are blacked out even then); what a person has to look
 * at; what the examination finds. Invariants: a fault of the text detector or of a decoder holds;
 * nothing passes that was not looked at; words are fixed.
 * Source: pseudonymisation specification 1.5, 1.6; docs/conformance/burned-in-text.md.
 */
import { readPart10Header, type DicomDataset } from '@aifi/dicom-core';
import { framesInMemory, openFrames, type FrameReader, type PixelRegion } from '@aifi/dicom-pixels';
import { AifiError, type Clock } from '@aifi/shared-kernel';
import { examine } from './examination.js';
import { FilterMatcher, type FilterFinding } from './filter-evaluation.js';
import { loadFilterRules } from './filter-rules.js';
import { BLACKLIST_MEANING, isSecondaryCapture, ownVerdictOf } from './own-rules.js';
import type { PixelDecision, PixelFinding, PixelGate, PixelQuestion } from './pixel-gate.js';
import { createTextDetector, type TextDetector } from './text-detector.js';
import { KNOWN_MANUFACTURERS, mayUseRegionRule, tierOf, type Tier } from './tier.js';

export interface PixelGateOptions {
  readonly clock: Clock;
  /** Scanners of this site beside the usual ones, from the start of Manufacturer. @default [] */
  readonly manufacturers?: readonly string[];
  /** Of one picture in the text detector. @unit ms @default 30000 */
  readonly detectorTimeoutMs?: number;
  /** Another detector, in tests. */
  readonly detector?: TextDetector;
}

/** Throws CONFIG_INVALID when the filter file is not understood. */
export function createPixelGate(options: PixelGateOptions): PixelGate {
  const { clock, detectorTimeoutMs, manufacturers = [] } = options;
  const timeout = detectorTimeoutMs === undefined ? {} : { timeoutMs: detectorTimeoutMs };
  const detector = options.detector ?? createTextDetector({ clock, ...timeout });
  const matcher = new FilterMatcher(loadFilterRules());
  const gate = new Gate(matcher, detector, [...KNOWN_MANUFACTURERS, ...manufacturers]);
  return { judge: (question) => gate.judge(question), close: () => detector.close() };
}

/** What is known of one image before its pixels are read. */
interface Known {
  readonly question: PixelQuestion;
  readonly tier: Tier;
  readonly isSuspect: boolean;
  /** Why a person has to look, whatever the pixels say. */
  readonly holdReason: string | undefined;
  readonly layouts: readonly FilterFinding[];
}

class Gate {
  constructor(
    private readonly matcher: FilterMatcher,
    private readonly detector: TextDetector,
    private readonly manufacturers: readonly string[],
  ) {}

  async judge(question: PixelQuestion): Promise<PixelDecision> {
    try {
      const known = await this.#know(question);
      return 'kind' in known ? known : await this.#look(known);
    } catch (error) {
      const { code } = AifiError.from(error);
      // What a sender may send is held; a fault of the machine is one, and is tried again.
      if (code === 'DICOM_MALFORMED') return hold('the pixels do not decode');
      if (code === 'LIMIT_EXCEEDED') return hold('the picture is too large to be examined');
      throw error;
    }
  }

  async #know(question: PixelQuestion): Promise<PixelDecision | Known> {
    const { header } = question;
    const own = ownVerdictOf(header);
    if (own?.kind === 'refuse') return own;
    const { metaDataset } = question.received ?? (await readPart10Header(question.path));
    const implementationVersionName = metaDataset.string(0x00020013);
    const matches = this.matcher.matchesOf({ header, implementationVersionName });
    const black = matches.filter(({ list }) => list === 'blacklist');
    if (black.some(({ name }) => BLACKLIST_MEANING[name] === 'refuse')) {
      return { kind: 'refuse', reason: 'a page of text about the patient' };
    }
    const isBlack = black.some(({ name }) => BLACKLIST_MEANING[name] === undefined);
    return {
      question,
      tier: tierOf(header, this.manufacturers),
      isSuspect: black.length > 0 && !isOnlyDerived(header),
      holdReason:
        own?.reason ?? (isBlack ? 'on the list of images with burned-in text' : undefined),
      layouts: matches.filter(({ list, regions }) => list === 'graylist' && regions.length > 0),
    };
  }

  async #look(known: Known): Promise<PixelDecision> {
    const { path, received, isReleased } = known.question;
    const whole = received?.whole;
    const opened = whole ? await framesInMemory(whole) : await openFrames(path);
    // What cannot be shown cannot have been looked at either.
    if (!opened.ok) return hold('the pixels are not read here');
    const reader = opened.value;
    try {
      const regions = regionsOf(known.layouts, reader);
      const decision = isReleased
        ? byPerson(regions)
        : await this.#examined(known, reader, regions);
      // Where regions are blacked out, nothing is written but the stored bits.
      if (regions.length > 0) return decision;
      if (isReleased) await readToHiddenBits(reader);
      return reader.hasHiddenBits() ? HIDDEN_PICTURE : decision;
    } finally {
      await reader.close();
    }
  }

  async #examined(
    known: Known,
    reader: FrameReader,
    regions: readonly PixelRegion[],
  ): Promise<PixelDecision> {
    const { tier, isSuspect, holdReason, question, layouts } = known;
    let findings: PixelFinding[];
    try {
      const isCovered = (seen: PixelRegion): boolean =>
        regions.some((region) => isWithin(seen, region));
      const image = { reader, header: question.header, tier, isSuspect, isCovered };
      findings = await examine(image, this.detector);
    } catch (error) {
      if (AifiError.from(error).code !== 'PEER_UNAVAILABLE') throw error;
      return hold('text detector not available');
    }
    if (holdReason !== undefined) return hold(holdReason, findings);
    const isKnownLayout =
      regions.length > 0 &&
      layouts.some(({ hasSize }) => hasSize) &&
      mayUseRegionRule(question.header);
    if (tier === 'full' && (!isKnownLayout || isSecondaryCapture(question.header))) {
      return hold('a person looks at every image of this kind', findings);
    }
    if (findings.length > 0) return hold('something like text was seen', findings);
    if (regions.length > 0) return { kind: 'clean', regions };
    return { kind: 'clear', by: tier === 'border' ? 'border' : 'text-detector' };
  }
}

/** As an overlay that attributes tell of: nobody can see it, so nobody can release it. */
const HIDDEN_PICTURE: PixelDecision = {
  kind: 'refuse',
  reason: 'a picture in bits that are not stored',
};

/** A released image was not examined now, or not to its end then. */
async function readToHiddenBits(reader: FrameReader): Promise<void> {
  const { bitsAllocated, bitsStored, frames } = reader;
  if (bitsStored === bitsAllocated) return;
  for (let at = 0; at < frames && !reader.hasHiddenBits(); at += 1) await reader.frame(at);
}

function hold(reason: string, findings: readonly PixelFinding[] = []): PixelDecision {
  return { kind: 'hold', reason, findings };
}

function byPerson(regions: readonly PixelRegion[]): PixelDecision {
  return regions.length > 0 ? { kind: 'clean', regions } : { kind: 'clear', by: 'person' };
}

/** Derived, as a lossy copy is, but from primary pixels. */
function isOnlyDerived(header: DicomDataset): boolean {
  const words = header.strings('ImageType').map((word) => word.trim().toUpperCase());
  return words[0] === 'DERIVED' && words[1] === 'PRIMARY';
}

/** The places of all layouts that match, inside the picture; of no other than this picture's. */
function regionsOf(layouts: readonly FilterFinding[], reader: FrameReader): PixelRegion[] {
  return layouts
    .flatMap(({ regions }) => regions)
    .map(({ x, y, width, height }) => ({
      ...{ x, y },
      width: Math.min(width, reader.columns - x),
      height: Math.min(height, reader.rows - y),
    }))
    .filter(({ width, height }) => width > 0 && height > 0);
}

/** Blurred edges may stand out by this much. @unit pixels */
const EDGE = 2;
function isWithin(inner: PixelRegion, outer: PixelRegion): boolean {
  return (
    inner.x >= outer.x - EDGE &&
    inner.y >= outer.y - EDGE &&
    inner.x + inner.width <= outer.x + outer.width + EDGE &&
    inner.y + inner.height <= outer.y + outer.height + EDGE
  );
}
