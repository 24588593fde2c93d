/**
 * Headers of one generated patient for the tests: one per family of SOP classes, as whole as
 * dciodvfy asks for, with identity wherever a scanner writes it.
 * Decides what "a conformant input" means in these tests. Test code only: nothing of the product
 * imports it. Source: PS3.3 annexes A.2-A.8, A.14, A.16, A.26, A.36, A.38.
 */
import { DicomDataset, vrOf, tagOf } from '@aifi/dicom-core';

type Value = string | number | readonly (string | number)[] | readonly Attributes[] | Uint8Array;
export interface Attributes {
  readonly [keyword: string]: Value;
}

/** A dataset from keywords; an array of objects is a sequence, '' an empty value. */
export function datasetOf(attributes: Attributes): DicomDataset {
  const dataset = new DicomDataset();
  for (const [keyword, value] of Object.entries(attributes)) {
    const tag = tagOf(keyword);
    const values = Array.isArray(value) ? (value as readonly unknown[]) : [value];
    if (value instanceof Uint8Array) dataset.setBytes(tag, value);
    else if (vrOf(tag) === 'SQ') {
      dataset.setItems(tag, (values as Attributes[]).map(datasetOf));
    } else if (values.every((one) => typeof one === 'number')) {
      dataset.setNumbers(tag, values as number[]);
    } else
      dataset.setStrings(
        tag,
        (values as string[]).filter((text) => text !== ''),
      );
  }
  return dataset;
}

export const code = (value: string, meaning: string, scheme = 'SCT'): Attributes => ({
  CodeValue: value,
  CodingSchemeDesignator: scheme,
  CodeMeaning: meaning,
});

const STORAGE = '1.2.840.10008.5.1.4.1.1.';
const PATIENT: Attributes = {
  SpecificCharacterSet: 'ISO_IR 192',
  SOPInstanceUID: '1.2.3.4.1',
  StudyInstanceUID: '1.2.3.4.2',
  SeriesInstanceUID: '1.2.3.4.3',
  StudyDate: '20240229',
  SeriesDate: '20240229',
  ContentDate: '20240229',
  StudyTime: '101500',
  SeriesTime: '101600',
  ContentTime: '101700',
  AccessionNumber: 'ACC770077',
  Manufacturer: 'Aifi',
  ManufacturerModelName: 'Phantom',
  SoftwareVersions: '1.0',
  InstitutionName: 'Ziekenhuis Oost',
  StationName: 'KAMER3',
  ReferringPhysicianName: 'Visser^Anna',
  OperatorsName: 'Bakker^Kees',
  StudyDescription: 'Onderzoek dr. Visser',
  SeriesDescription: 'Serie Janneke',
  PatientName: 'Bergsma^Janneke^van der',
  PatientID: '00123456',
  IssuerOfPatientID: 'HIS-OOST',
  PatientBirthDate: '19610403',
  PatientSex: 'F',
  PatientAge: '062Y',
  PatientSize: 1.71,
  PatientWeight: 64,
  PatientComments: 'woont bij dochter',
  StudyID: '4711',
  SeriesNumber: 3,
  InstanceNumber: 1,
  DeviceSerialNumber: 'SN778899',
};
const FRAME: Attributes = {
  FrameOfReferenceUID: '1.2.3.4.4',
  PositionReferenceIndicator: '',
  PatientPosition: 'HFS',
};
const GREY: Attributes = {
  SamplesPerPixel: 1,
  PhotometricInterpretation: 'MONOCHROME2',
  Rows: 4,
  Columns: 4,
  BitsAllocated: 16,
  BitsStored: 12,
  HighBit: 11,
  PixelRepresentation: 0,
  LossyImageCompression: '00',
};
const BYTES: Attributes = { ...GREY, BitsAllocated: 8, BitsStored: 8, HighBit: 7 };
const PLANE: Attributes = {
  ImagePositionPatient: [0, 0, 0],
  ImageOrientationPatient: [1, 0, 0, 0, 1, 0],
  PixelSpacing: [1, 1],
  SliceThickness: 1,
};
const RADIOGRAPH: Attributes = {
  ImageType: ['ORIGINAL', 'PRIMARY', ''],
  PresentationIntentType: 'FOR PRESENTATION',
  PatientOrientation: ['A', 'F'],
  PixelIntensityRelationship: 'LOG',
  PixelIntensityRelationshipSign: 1,
  RescaleIntercept: 0,
  RescaleSlope: 1,
  RescaleType: 'US',
  PresentationLUTShape: 'IDENTITY',
  BurnedInAnnotation: 'NO',
  ImagerPixelSpacing: [0.1, 0.1],
  DetectorType: 'DIRECT',
  WindowCenter: 2000,
  WindowWidth: 4000,
  DetectorID: 'DET-4455',
  AcquisitionContextSequence: [],
};
const CINE: Attributes = { NumberOfFrames: 2, FrameIncrementPointer: 0, FrameTime: 33 };

const item = (...attributes: readonly Attributes[]): readonly Attributes[] => [
  Object.assign({}, ...attributes) as Attributes,
];
const frameType = (imageType: readonly string[]): Attributes => ({
  FrameType: imageType,
  PixelPresentation: 'MONOCHROME',
  VolumetricProperties: 'VOLUME',
  VolumeBasedCalculationTechnique: 'NONE',
});
const IMAGE_TYPE_MR = ['ORIGINAL', 'PRIMARY', 'T1', 'NONE'];
const IMAGE_TYPE_CT = ['ORIGINAL', 'PRIMARY', 'VOLUME', 'NONE'];
const ENHANCED: Attributes = {
  ...PATIENT,
  ...FRAME,
  ...GREY,
  AcquisitionNumber: 1,
  AcquisitionDateTime: '20240229101500',
  AcquisitionDuration: 12,
  ContentQualification: 'PRODUCT',
  PixelPresentation: 'MONOCHROME',
  VolumetricProperties: 'VOLUME',
  VolumeBasedCalculationTechnique: 'NONE',
  BurnedInAnnotation: 'NO',
  PresentationLUTShape: 'IDENTITY',
  NumberOfFrames: 2,
  AcquisitionContextSequence: [],
  DimensionOrganizationSequence: [{ DimensionOrganizationUID: '1.2.3.4.9' }],
};
const framesOf = (count: number): readonly Attributes[] =>
  Array.from({ length: count }, (_, i) => ({
    FrameContentSequence: [
      {
        FrameAcquisitionDateTime: '20240229101500',
        FrameReferenceDateTime: '20240229101500',
        FrameAcquisitionDuration: 100,
        StackID: '1',
        InStackPositionNumber: i + 1,
        DimensionIndexValues: [1, i + 1],
      },
    ],
    PlanePositionSequence: [{ ImagePositionPatient: [0, 0, i] }],
  }));
const SHARED: Attributes = {
  PixelMeasuresSequence: [{ PixelSpacing: [1, 1], SliceThickness: 1 }],
  PlaneOrientationSequence: [{ ImageOrientationPatient: [1, 0, 0, 0, 1, 0] }],
  FrameAnatomySequence: [
    { AnatomicRegionSequence: [code('51185008', 'Chest')], FrameLaterality: 'U' },
  ],
  PixelValueTransformationSequence: [{ RescaleIntercept: 0, RescaleSlope: 1, RescaleType: 'HU' }],
  FrameVOILUTSequence: [{ WindowCenter: 40, WindowWidth: 400 }],
  IrradiationEventIdentificationSequence: [{ IrradiationEventUID: '1.2.3.4.11' }],
};

const HEADERS: Readonly<Record<string, () => Attributes>> = {
  MR: () => ({
    ...{ ...PATIENT, ...FRAME, ...GREY, ...PLANE, Modality: 'MR', SOPClassUID: `${STORAGE}4` },
    ...{ ImageType: ['ORIGINAL', 'PRIMARY', 'M'], Laterality: '', BodyPartExamined: 'KNEE' },
    ...{ ScanningSequence: 'GR', SequenceVariant: 'NONE', ScanOptions: '' },
    ...{ MRAcquisitionType: '3D', EchoTime: 3, RepetitionTime: 8, EchoTrainLength: 1 },
  }),
  CT: () => ({
    ...{ ...PATIENT, ...FRAME, ...GREY, ...PLANE, Modality: 'CT', SOPClassUID: `${STORAGE}2` },
    ...{ ImageType: ['ORIGINAL', 'PRIMARY', 'AXIAL'], BodyPartExamined: 'CHEST' },
    ...{ KVP: 120, AcquisitionNumber: 1, RescaleIntercept: -1024, RescaleSlope: 1 },
    ...{ RescaleType: 'HU', ConvolutionKernel: 'Br40', AcquisitionDate: '20240229' },
    ...{ AcquisitionTime: '101500', ContrastBolusAgent: 'Visser mengsel' },
    ...{ FilterType: 'WEDGE', TableHeight: 140, RotationDirection: 'CW', ExposureTime: 500 },
    ...{ XRayTubeCurrent: 200, Exposure: 100, GantryDetectorTilt: 0, FocalSpots: 1.2 },
    ...{ WindowCenter: 40, WindowWidth: 400, SliceLocation: -12.5, ProtocolName: 'THORAX' },
  }),
  DX: () => ({
    ...{ ...PATIENT, ...GREY, ...RADIOGRAPH, Modality: 'DX', SOPClassUID: `${STORAGE}1.1` },
    ...{ ImageLaterality: 'L', AnatomicRegionSequence: [code('85562004', 'Hand')] },
    ...{ BodyPartExamined: 'HAND', ViewPosition: 'PA', PositionerType: 'NONE' },
  }),
  MG: () => ({
    ...{ ...PATIENT, ...GREY, ...RADIOGRAPH, Modality: 'MG', SOPClassUID: `${STORAGE}1.2` },
    ...{ ImageLaterality: 'R', AnatomicRegionSequence: [code('76752008', 'Breast')] },
    ...{ PositionerType: 'MAMMOGRAPHIC', OrganExposed: 'BREAST', BodyPartExamined: 'BREAST' },
    ViewCodeSequence: item(code('399368009', 'medio-lateral oblique'), {
      ViewModifierCodeSequence: [],
    }),
  }),
  'Enhanced CT': () => ({
    ...{ ...ENHANCED, Modality: 'CT', SOPClassUID: `${STORAGE}2.1`, ImageType: IMAGE_TYPE_CT },
    DimensionIndexSequence: dimensions(),
    SharedFunctionalGroupsSequence: item(SHARED, {
      CTImageFrameTypeSequence: [frameType(IMAGE_TYPE_CT)],
      CTAcquisitionTypeSequence: [
        { AcquisitionType: 'SPIRAL', ConstantVolumeFlag: 'NO', FluoroscopyFlag: 'NO' },
      ],
      CTAcquisitionDetailsSequence: [
        {
          ...{ RotationDirection: 'CW', RevolutionTime: 0.5, SingleCollimationWidth: 1 },
          ...{ TotalCollimationWidth: 16, TableHeight: 140, GantryDetectorTilt: 0 },
          DataCollectionDiameter: 500,
        },
      ],
      CTTableDynamicsSequence: [{ TableSpeed: 20, TableFeedPerRotation: 10, SpiralPitchFactor: 1 }],
      CTPositionSequence: [
        {
          ...{ TablePosition: 1, DataCollectionCenterPatient: [0, 0, 0] },
          ReconstructionTargetCenterPatient: [0, 0, 0],
        },
      ],
      CTGeometrySequence: [
        { DistanceSourceToDetector: 1000, DistanceSourceToDataCollectionCenter: 500 },
      ],
      CTReconstructionSequence: [
        {
          ...{ ReconstructionAlgorithm: 'FILTER_BACK_PROJ', ConvolutionKernel: 'Br40' },
          ...{ ConvolutionKernelGroup: 'BODY', ReconstructionDiameter: 400 },
          ...{ ReconstructionPixelSpacing: [1, 1], ReconstructionAngle: 360, ImageFilter: 'NONE' },
        },
      ],
      CTExposureSequence: [
        {
          ...{ ExposureTimeInms: 500, XRayTubeCurrentInmA: 200, ExposureInmAs: 100 },
          ...{ ExposureModulationType: 'NONE', CTDIvol: 5 },
        },
      ],
      CTXRayDetailsSequence: [
        { KVP: 120, FocalSpots: 1.2, FilterType: 'WEDGE', FilterMaterial: 'ALUMINUM' },
      ],
    }),
    PerFrameFunctionalGroupsSequence: framesOf(2),
  }),
  'Enhanced MR': () => ({
    ...{ ...ENHANCED, Modality: 'MR', SOPClassUID: `${STORAGE}4.1`, ImageType: IMAGE_TYPE_MR },
    ...{ ComplexImageComponent: 'MAGNITUDE', AcquisitionContrast: 'T1', MagneticFieldStrength: 3 },
    ...{ ResonantNucleus: '1H', KSpaceFiltering: 'NONE', ApplicableSafetyStandardAgency: 'IEC' },
    ...{ MRAcquisitionType: '3D', PulseSequenceName: 'T1TFE', EchoPulseSequence: 'GRADIENT' },
    ...{ MultiPlanarExcitation: 'NO', PhaseContrast: 'NO', TimeOfFlightContrast: 'NO' },
    ...{ SteadyStatePulseSequence: 'NONE', EchoPlanarPulseSequence: 'NO' },
    ...{ SaturationRecovery: 'NO', SpectrallySelectedSuppression: 'NONE' },
    ...{ GeometryOfKSpaceTraversal: 'RECTILINEAR', SegmentedKSpaceTraversal: 'SINGLE' },
    ...{ RectilinearPhaseEncodeReordering: 'LINEAR', NumberOfKSpaceTrajectories: 1 },
    ...{ CoverageOfKSpace: 'FULL', OversamplingPhase: 'NONE' },
    DimensionIndexSequence: dimensions(),
    SharedFunctionalGroupsSequence: item(SHARED, {
      MRImageFrameTypeSequence: item(frameType(IMAGE_TYPE_MR), {
        ComplexImageComponent: 'MAGNITUDE',
        AcquisitionContrast: 'T1',
      }),
      MRTimingAndRelatedParametersSequence: [
        {
          ...{ RepetitionTime: 8, FlipAngle: 10, EchoTrainLength: 1, RFEchoTrainLength: 0 },
          ...{ GradientEchoTrainLength: 1, GradientOutputType: 'DB_DT', GradientOutput: 40 },
          SpecificAbsorptionRateSequence: [
            {
              SpecificAbsorptionRateDefinition: 'IEC_WHOLE_BODY',
              SpecificAbsorptionRateValue: 0.1,
            },
          ],
          OperatingModeSequence: [
            { OperatingModeType: 'STATIC FIELD', OperatingMode: 'IEC_NORMAL' },
          ],
        },
      ],
      MRFOVGeometrySequence: [
        {
          ...{ InPlanePhaseEncodingDirection: 'ROW', MRAcquisitionFrequencyEncodingSteps: 4 },
          ...{ MRAcquisitionPhaseEncodingStepsInPlane: 4, PercentSampling: 100 },
          ...{ MRAcquisitionPhaseEncodingStepsOutOfPlane: 2, PercentPhaseFieldOfView: 100 },
        },
      ],
      MRModifierSequence: [
        {
          ...{ InversionRecovery: 'NO', FlowCompensation: 'NONE', Spoiling: 'RF' },
          ...{ T2Preparation: 'NO', SpectrallySelectedExcitation: 'NONE' },
          ...{ SpatialPresaturation: 'NONE', PartialFourier: 'NO', ParallelAcquisition: 'NO' },
        },
      ],
      MRImagingModifierSequence: [
        {
          ...{ MagnetizationTransfer: 'NONE', BloodSignalNulling: 'NO', Tagging: 'NONE' },
          ...{ TransmitterFrequency: 127.7, PixelBandwidth: 241 },
        },
      ],
      MRTransmitCoilSequence: [
        {
          ...{ TransmitCoilName: 'BODY', TransmitCoilManufacturerName: '' },
          TransmitCoilType: 'BODY',
        },
      ],
      MREchoSequence: [{ EffectiveEchoTime: 3 }],
      MRAveragesSequence: [{ NumberOfAverages: 1 }],
      MRReceiveCoilSequence: [
        {
          ...{ ReceiveCoilName: 'BODY', ReceiveCoilManufacturerName: '', ReceiveCoilType: 'BODY' },
          QuadratureReceiveCoil: 'YES',
        },
      ],
    }),
    PerFrameFunctionalGroupsSequence: framesOf(2),
  }),
  US: () => ({
    ...{ ...PATIENT, ...BYTES, Modality: 'US', SOPClassUID: `${STORAGE}6.1`, Laterality: '' },
    ...{ ImageType: ['ORIGINAL', 'PRIMARY', 'ABDOMINAL', '0001'], PatientOrientation: '' },
    SequenceOfUltrasoundRegions: [
      {
        ...{ RegionSpatialFormat: 1, RegionDataType: 1, RegionFlags: 2, RegionLocationMinX0: 0 },
        ...{ RegionLocationMinY0: 0, RegionLocationMaxX1: 3, RegionLocationMaxY1: 3 },
        ...{ PhysicalUnitsXDirection: 3, PhysicalUnitsYDirection: 3 },
        ...{ PhysicalDeltaX: 0.05, PhysicalDeltaY: 0.05 },
      },
    ],
  }),
  'US multi-frame': () => ({
    ...{ ...PATIENT, ...BYTES, ...CINE, Modality: 'US', SOPClassUID: `${STORAGE}3.1` },
    ...{ ImageType: ['ORIGINAL', 'PRIMARY', 'ABDOMINAL', '0001'], PatientOrientation: '' },
    ...{ Laterality: '', StageName: 'rest', NumberOfStages: 1, NumberOfViewsInStage: 1 },
  }),
  XA: () => ({
    ...{ ...PATIENT, ...GREY, ...CINE, Modality: 'XA', SOPClassUID: `${STORAGE}12.1` },
    ...{ ImageType: ['ORIGINAL', 'PRIMARY', 'BIPLANE A'], PixelIntensityRelationship: 'LIN' },
    ...{ PatientOrientation: '', KVP: 70, RadiationSetting: 'GR' },
    ...{ XRayTubeCurrent: 400, ExposureTime: 10, Exposure: 4, BodyPartExamined: 'HEART' },
    ...{ PositionerMotion: 'STATIC', PositionerPrimaryAngle: 10, PositionerSecondaryAngle: 5 },
    ...{ ContrastBolusAgent: 'Visipaque', TableMotion: 'STATIC' },
    ReferencedImageSequence: [
      {
        ...{ ReferencedSOPClassUID: `${STORAGE}12.1`, ReferencedSOPInstanceUID: '1.2.3.4.77' },
        PurposeOfReferenceCodeSequence: [code('121314', 'Other image of biplane pair', 'DCM')],
      },
    ],
  }),
  RF: () => ({
    ...{ ...PATIENT, ...GREY, ...CINE, Modality: 'RF', SOPClassUID: `${STORAGE}12.2` },
    ...{ ImageType: ['ORIGINAL', 'PRIMARY', 'SINGLE PLANE'], PixelIntensityRelationship: 'LIN' },
    ...{ PatientOrientation: '', KVP: 70, RadiationSetting: 'SC' },
    ...{ XRayTubeCurrent: 4, ExposureTime: 10, Exposure: 4, BodyPartExamined: 'ABDOMEN' },
  }),
  SC: () => ({
    ...{ ...PATIENT, ...BYTES, Modality: 'OT', SOPClassUID: `${STORAGE}7`, Laterality: '' },
    ...{ ConversionType: 'WSD', PatientOrientation: '', SecondaryCaptureDeviceID: 'PC-VISSER' },
    DateOfSecondaryCapture: '20240229',
  }),
  'SC multi-frame': () => ({
    ...{ ...PATIENT, ...BYTES, ...CINE, Modality: 'OT', SOPClassUID: `${STORAGE}7.2` },
    ...{ ConversionType: 'WSD', Laterality: '', PatientOrientation: '', BurnedInAnnotation: 'NO' },
    ...{ PresentationLUTShape: 'IDENTITY', RescaleIntercept: 0, RescaleSlope: 1 },
    ...{ RescaleType: 'US', ImageType: ['DERIVED', 'SECONDARY'] },
  }),
};

function dimensions(): readonly Attributes[] {
  return ['StackID', 'InStackPositionNumber'].map((keyword) => ({
    DimensionOrganizationUID: '1.2.3.4.9',
    DimensionIndexPointer: tagOf(keyword),
    FunctionalGroupPointer: tagOf('FrameContentSequence'),
  }));
}

export const HEADER_NAMES: readonly string[] = Object.keys(HEADERS);

/** The header of one family; `attributes` come on top. Pixel data is a file's part. */
export function aHeaderOf(name: string, attributes: Attributes = {}): DicomDataset {
  const dataset = datasetOf({ ...HEADERS[name]!(), ...attributes });
  // AT is written by hand: the dataset has no numbers for it.
  setPointers(dataset);
  return dataset;
}

function setPointers(dataset: DicomDataset): void {
  if (dataset.has('FrameIncrementPointer')) {
    dataset.setBytes('FrameIncrementPointer', pointerTo(tagOf('FrameTime')));
  }
  for (const item of dataset.items('DimensionIndexSequence')) {
    for (const keyword of ['DimensionIndexPointer', 'FunctionalGroupPointer']) {
      item.setBytes(keyword, pointerTo(Number(item.string(keyword))));
    }
  }
}

function pointerTo(tag: number): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt16LE(tag >>> 16, 0);
  bytes.writeUInt16LE(tag & 0xffff, 2);
  return bytes;
}
