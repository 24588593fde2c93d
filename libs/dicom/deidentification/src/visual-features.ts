/**
 * Recognisable visual features: may a face be reconstructed from this image?
 * Decides (0028,0302). The reasoning: a person is recognised from a rendered skin surface, which
 * needs a volume of the head. So MR and CT, also enhanced, of head, face or neck say YES; so does
 * one of an unknown part, because the guess must not be the one that shows a face. A hand, limb,
 * chest, abdomen or pelvis says NO. Radiographs, mammograms, angiograms and ultrasound are
 * projections or sections without a skin surface: NO, also of a skull. Secondary captures can show
 * anything, also a rendered face: of a head YES; else NO, because a person has released them.
 * Any sign of a head wins over a sign of another part; descriptions are asked last.
 * Source: PS3.3 C.7.6.1.1.8, PS3.15 E.3.2; pseudonymisation specification 1.4.
 */
import type { DicomDataset } from '@aifi/dicom-core';
import * as parts from './body-parts.table.js';
import type { ClassFamily } from './keep-list.js';
import { tokensOf } from './normalised-text.js';
import { cleanDescriptor } from './vocabulary.js';

const listed = (words: string): ReadonlySet<string> => new Set(words.trim().split(/\s+/));
const wordsWithFace = listed(parts.WORDS_WITH_FACE);
const wordsWithoutFace = listed(parts.WORDS_WITHOUT_FACE);
const codesWithFace = listed(parts.CODES_WITH_FACE);
const codesWithoutFace = listed(parts.CODES_WITHOUT_FACE);

type Sign = 'face' | 'no face' | undefined;
/** Frames of an enhanced object may differ; the first ones are enough to find a head. */
const FRAMES_MAX = 200;

export function hasRecognisableFeatures(input: DicomDataset, family: ClassFamily): boolean {
  const isCapture = family.name === 'SC';
  if (!family.isVolumetric && !isCapture) return false;
  const sign = signOf(input);
  return sign === undefined ? family.isVolumetric : sign === 'face';
}

function signOf(input: DicomDataset): Sign {
  const coded = [...input.strings('BodyPartExamined').map(signOfText), ...regionSigns(input)];
  const described = ['StudyDescription', 'SeriesDescription', 'ProtocolName'].map((keyword) =>
    signOfText(cleanDescriptor(input.strings(keyword).join(' '))),
  );
  if (coded.includes('face')) return 'face';
  // "NECK" beside a declared chest: the declared part may be the console's default.
  if (described.includes('face')) return 'face';
  return coded.includes('no face') || described.includes('no face') ? 'no face' : undefined;
}

/** Of the image, and of frames that name their own (PS3.3 C.7.6.16.2.8). */
function regionSigns(input: DicomDataset): Sign[] {
  const groups = [
    ...input.items('SharedFunctionalGroupsSequence'),
    ...input.items('PerFrameFunctionalGroupsSequence').slice(0, FRAMES_MAX),
  ];
  return [input, ...groups.flatMap((group) => group.items('FrameAnatomySequence'))]
    .flatMap((dataset) => dataset.items('AnatomicRegionSequence'))
    .map((region) => {
      const code = region.string('CodeValue') ?? '';
      if (codesWithFace.has(code)) return 'face';
      if (codesWithoutFace.has(code)) return 'no face';
      return signOfText(region.string('CodeMeaning') ?? '');
    });
}

/** The slices of a series say the same. Bounded: what is full starts anew. */
const signs = new Map<string, Sign>();
const SIGNS_MAX = 500;

function signOfText(text: string): Sign {
  if (signs.has(text)) return signs.get(text);
  const sign = foundSign(text);
  if (signs.size >= SIGNS_MAX) signs.clear();
  signs.set(text, sign);
  return sign;
}

function foundSign(text: string): Sign {
  const tokens = tokensOf(text);
  // "C-spine" and "whole body" are one word in the table.
  const words = [...tokens, ...tokens.map((token, i) => token + (tokens[i + 1] ?? ''))];
  if (words.some((word) => wordsWithFace.has(word))) return 'face';
  return words.some((word) => wordsWithoutFace.has(word)) ? 'no face' : undefined;
}
