/**
 * Goal: of everything that a header can hold, only what is named below passes unchanged.
 * Method: a marker of its own planted in every text or opaque element of the dictionary, in nested
 * items, private groups, repeating groups and around the dataset; a byte search of the output. What
 * survives must be exactly the attributes that the profile keeps as they are.
 */
import { afterAll, describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DicomDataset, encodeDataset, keywordOf, tagOf, vrOf } from '@aifi/dicom-core';
import { temporaryFolder } from '@aifi/shared-testing';
import {
  DEFAULT_CONTRACT,
  pseudonymiseHeader,
  writePseudonymisedInstance,
  type DeidentificationContext,
} from './index.js';

const folder = temporaryFolder('planted');
afterAll(() => folder.remove());
const context: DeidentificationContext = {
  siteCode: 'SITE-A',
  keys: { uid: Buffer.alloc(32, 1), pid: Buffer.alloc(32, 2), date: Buffer.alloc(32, 3) },
  contract: { ...DEFAULT_CONTRACT, recognisableVisualFeatures: 'allow' },
};
const EXPLICIT_LE = { explicitVr: true, littleEndian: true };
const [MR, CT, DX, MG, ECT, EMR, US, XA, SC] = [
  ...['4', '2', '1.1', '1.2', '2.1', '4.1', '6.1', '12.1', '7'],
].map((arc) => `1.2.840.10008.5.1.4.1.1.${arc}`);

// Attributes outside of Table E.1-1 or with a value that the profile retains; no others may pass.
const RETAINED_BY_ALL = `ImageType Modality Manufacturer ManufacturerModelName SoftwareVersions
  Laterality ImageLaterality PatientPosition PatientOrientation
  PhotometricInterpretation
  PixelSpacingCalibrationType VOILUTFunction ModalityLUTType RescaleType
  PresentationLUTShape LossyImageCompression LossyImageCompressionMethod
  QualityControlImage ScanOptions`;
const RETAINED_OF_RADIOGRAPHS = `PresentationIntentType ViewPosition FilterType FilterMaterial
  CassetteOrientation CassetteSize PlateType PhosphorType PositionerType DetectorType
  DetectorConfiguration DetectorActiveShape FieldOfViewShape FieldOfViewHorizontalFlip
  PixelIntensityRelationship CollimatorShape Grid ExposureControlMode ShutterShape`;
const RETAINED_OF_ENHANCED = `BulkMotionCompensationTechnique BulkMotionSignalSource
  CardiacBeatRejectionTechnique CardiacCyclePosition CardiacFramingType CardiacSignalSource
  CardiacSynchronizationTechnique ContentQualification ContrastBolusAgentAdministered
  ContrastBolusAgentDetected ContrastBolusAgentPhase DimensionOrganizationType
  EndingRespiratoryPhase FrameLaterality FrameType LUTExplanation LUTLabel PixelPresentation
  RespiratoryCyclePosition RespiratoryMotionCompensationTechnique RespiratorySignalSource
  RespiratoryTriggerType StackID StartingRespiratoryPhase VolumeBasedCalculationTechnique
  VolumetricProperties`;
const RETAINED: Readonly<Record<string, string>> = {
  [MR!]: `ScanningSequence SequenceVariant MRAcquisitionType SequenceName AngioFlag ImagedNucleus
    InPlanePhaseEncodingDirection VariableFlipAngleFlag`,
  [CT!]: `RotationDirection FilterType ConvolutionKernel ExposureModulationType AcquisitionType`,
  [DX!]: RETAINED_OF_RADIOGRAPHS,
  [MG!]: `${RETAINED_OF_RADIOGRAPHS} AnodeTargetMaterial BreastImplantPresent CalibrationImage
    OrganExposed PartialView`,
  [ECT!]: `${RETAINED_OF_ENHANCED} AcquisitionType ConstantVolumeFlag ConvolutionKernel
    ConvolutionKernelGroup ExposureModulationType FilterMaterial FilterType FluoroscopyFlag
    ImageFilter MultienergyCTAcquisition ReconstructionAlgorithm RotationDirection`,
  [EMR!]: `${RETAINED_OF_ENHANCED} AcquisitionContrast ApplicableSafetyStandardAgency
    ArterialSpinLabelingContrast BloodSignalNulling ComplexImageComponent CoverageOfKSpace
    DiffusionAnisotropyType DiffusionDirectionality EchoPlanarPulseSequence EchoPulseSequence
    FlowCompensation FlowCompensationDirection GeometryOfKSpaceTraversal GradientOutputType
    InPlanePhaseEncodingDirection InversionRecovery KSpaceFiltering MRAcquisitionType
    MagnetizationTransfer MultiCoilElementName MultiCoilElementUsed MultiPlanarExcitation
    MultipleSpinEcho OperatingMode OperatingModeType OversamplingPhase ParallelAcquisition
    ParallelAcquisitionTechnique PartialFourier PartialFourierDirection PhaseContrast
    PulseSequenceName QuadratureReceiveCoil ReceiveCoilManufacturerName ReceiveCoilName
    ReceiveCoilType RectilinearPhaseEncodeReordering ResonantNucleus SaturationRecovery
    SegmentedKSpaceTraversal SpatialPresaturation SpecificAbsorptionRateDefinition
    SpectrallySelectedExcitation SpectrallySelectedSuppression Spoiling SteadyStatePulseSequence
    T2Preparation Tagging TimeOfFlightContrast TransmitCoilManufacturerName TransmitCoilName
    TransmitCoilType`,
  [US!]: 'IVUSAcquisition ShutterShape TransducerType',
  [XA!]: `CalibrationImage CollimatorShape DetectorActiveShape DetectorConfiguration DetectorType
    FieldOfViewHorizontalFlip FieldOfViewShape FilterMaterial FilterType Grid MaskOperation
    PixelIntensityRelationship PositionerMotion RadiationMode RadiationSetting
    RecommendedViewingMode ShutterShape TableMotion TomoClass TomoType`,
  [SC!]: 'ConversionType',
};

/** Tags that must stay valid for the instance to be accepted at all. */
const SPARED = new Set(
  [
    ...['SpecificCharacterSet', 'SOPClassUID', 'SOPInstanceUID', 'StudyInstanceUID'],
    ...['SeriesInstanceUID', 'PatientIdentityRemoved'],
  ].map(tagOf),
);
const TEXT_VRS = 'AE AS CS DA DS DT IS LO LT PN SH ST TM UC UI UR UT'.split(' ');
const PLANTED_VRS: ReadonlySet<string> = new Set([
  ...TEXT_VRS,
  'OB',
  'OD',
  'OF',
  'OL',
  'OV',
  'OW',
  'UN',
]);
// Groups of patient, study, acquisition, image and structured content; pixel data is a file's part.
const GROUPS = `0008 0010 0012 0014 0018 0020 0022 0024 0028 0032 0038 003a 0040 0042 0044 0046
  0048 0050 0052 0054 0060 0062 0064 0066 0068 0070 0072 0074 0076 0078 0080 0088 0100 0400 2000
  2010 2050 2100 3002 3006 300a 300c 4008 4010 4ffe fffa fffc`;

// Letters only: eight digits of a tag may pass for a social security number.
const LETTERS = 'ABCDEFGHKLMNPQRS';
const lettersOf = (tag: number): string =>
  [...tag.toString(16).padStart(8, '0')].map((hex) => LETTERS[Number.parseInt(hex, 16)]).join('');
const tagOfLetters = (letters: string): number =>
  Number.parseInt([...letters].map((c) => LETTERS.indexOf(c).toString(16)).join(''), 16);
const marker = (tag: number): string => `MK${lettersOf(tag)}`;
function anItem(tag: number, depth = 0): DicomDataset {
  const item = new DicomDataset();
  for (const keyword of ['OtherPatientNames', 'PatientComments', 'StationName', 'PatientID']) {
    item.setString(keyword, marker(tag));
  }
  return depth === 2 ? item : item.setItems('ViewCodeSequence', [anItem(tag, depth + 1)]);
}
function plant(header: DicomDataset, tag: number): void {
  const vr = vrOf(tag);
  if (SPARED.has(tag)) return;
  if (vr === 'SQ') header.setItems(tag, [anItem(tag)]);
  else if (PLANTED_VRS.has(vr)) header.setString(tag, marker(tag), vr);
}
/** Every element of the dictionary, then private, repeating and unknown ones. */
function plantedHeader(sopClassUid: string): DicomDataset {
  const header = new DicomDataset();
  for (const group of GROUPS.trim().split(/\s+/)) {
    const base = Number.parseInt(group, 16) * 0x10000;
    for (let tag = base + 1; tag <= base + 0xffff; tag += 1) {
      if (vrOf(tag) !== 'UN') plant(header, tag);
    }
  }
  for (const tag of [0x00080001, 0x00185fff, 0x00291001, 0x00291002, 0x7fdf1001])
    plant(header, tag);
  header.setString(0x00290010, marker(0x00290010), 'LO');
  header.setItems(0x00291003, [anItem(0x00291003)]);
  for (const tag of [0x50000005, 0x50003000, 0x60000022, 0x60001500, 0x60003000, 0x60004000]) {
    header.setString(tag, marker(tag), 'LO');
  }
  return header
    .setString('SpecificCharacterSet', 'ISO_IR 192')
    .setString('SOPClassUID', sopClassUid)
    .setString('SOPInstanceUID', '1.2.3.4.1')
    .setString('StudyInstanceUID', '1.2.3.4.2')
    .setString('SeriesInstanceUID', '1.2.3.4.3');
}
function survivors(bytes: Buffer): string[] {
  const found = bytes
    .toString('latin1')
    .toUpperCase()
    .matchAll(/MK([A-HK-NP-S]{8})/g);
  return [...new Set([...found].map(([, letters]) => keywordOf(tagOfLetters(letters!))))];
}
const words = (text: string): string[] => text.trim().split(/\s+/);

describe('planted markers', () => {
  it.each(Object.keys(RETAINED))('pass in retained attributes only, for %s', (sopClassUid) => {
    const header = plantedHeader(sopClassUid);
    expect(header.size).toBeGreaterThan(2_000);
    const result = pseudonymiseHeader(header, context, { isExamined: true });
    if (!result.ok) throw new Error(result.refusal.detail);
    const bytes = encodeDataset(result.value.dataset, EXPLICIT_LE);
    const retained = [...words(RETAINED_BY_ALL), ...words(RETAINED[sopClassUid]!)];
    expect(survivors(bytes).sort()).toEqual(retained.sort());
  });

  it('do not pass in preamble, file meta, private parts or behind the pixels of a file', async () => {
    const secret = marker(0x0badcafe);
    const meta = new DicomDataset()
      .setBytes(0x00020001, Uint8Array.of(0, 1), 'OB')
      .setString(0x00020002, MR!, 'UI')
      .setString(0x00020003, '1.2.3.4.1', 'UI')
      .setString(0x00020010, '1.2.840.10008.1.2.1', 'UI')
      .setString(0x00020012, '1.2.3.4.77', 'UI')
      .setString(0x00020013, secret, 'SH')
      .setString(0x00020016, secret, 'AE')
      .setString(0x00020017, secret, 'AE')
      .setString(0x00020100, '1.2.3.4.78', 'UI')
      .setBytes(0x00020102, Buffer.from(secret), 'OB');
    const metaBytes = encodeDataset(meta, EXPLICIT_LE);
    const length = new DicomDataset().setNumbers(0x00020000, [metaBytes.length], 'UL');
    const header = plantedHeader(MR!);
    for (const keyword of [...words(RETAINED_BY_ALL), ...words(RETAINED[MR!]!)]) {
      header.delete(keyword);
    }
    header
      .setNumbers('Rows', [2])
      .setNumbers('Columns', [2])
      .setNumbers('SamplesPerPixel', [1])
      .setNumbers('BitsAllocated', [8])
      .setBytes('PixelData', Uint8Array.of(1, 2, 3, 4), 'OB');
    header.delete('NumberOfFrames');
    const sourcePath = join(folder.path, 'planted.dcm');
    const preamble = Buffer.alloc(128, secret);
    const head = [preamble, Buffer.from('DICM'), encodeDataset(length, EXPLICIT_LE), metaBytes];
    await writeFile(sourcePath, Buffer.concat([...head, encodeDataset(header, EXPLICIT_LE)]));
    const result = await writePseudonymisedInstance({
      ...{ sourcePath, folder: folder.path, context, clearance: { isExamined: true } },
    });
    if (!result.ok) throw new Error(result.refusal.detail);
    const bytes = readFileSync(result.value.path);
    expect(survivors(bytes)).toEqual([]);
    expect(bytes.toString('latin1')).not.toContain('1.2.3.4.');
    expect(result.value.path).not.toMatch(/1\.2\.3|MK/);
  });
});
