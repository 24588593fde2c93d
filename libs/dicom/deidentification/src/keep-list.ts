/**
 * Keep-lists: per SOP class family, which attributes survive and how.
 * Decides the action of every attribute that may leave; everything that is not listed is removed,
 * whatever it is (unknown, private, retired, new in the standard).
 * Invariants: default deny; a SOP class without a list is refused; the same table holds at every
 * depth of a sequence. The conformance statement reads this same table.
 * Source: PS3.15 Annex E (Table E.1-1, action codes), pseudonymisation specification 1.1-1.2.
 */
import { tagOf } from '@aifi/dicom-core';

/**
 * K keep (dates by VR are shifted, UIDs by VR remapped); C clean: reduce to the vocabulary;
 * D replace by our dummy or pseudonym; Z empty; U remap a UID. Absent from the table: X, remove.
 */
export type Action = 'K' | 'C' | 'D' | 'Z' | 'U';
export type KeepList = ReadonlyMap<number, Action>;

type Keywords = Readonly<Partial<Record<Action, string>>>;

const COMMON: Keywords = {
  D: 'PatientName PatientID PatientAge StudyID SpecificCharacterSet',
  Z: `PatientBirthDate AccessionNumber ReferringPhysicianName PositionReferenceIndicator
    AcquisitionContextSequence`,
  U: 'SOPInstanceUID StudyInstanceUID SeriesInstanceUID FrameOfReferenceUID',
  C: 'StudyDescription SeriesDescription ProtocolName',
  K: `SOPClassUID ImageType Modality Manufacturer ManufacturerModelName SoftwareVersions
    StudyDate SeriesDate AcquisitionDate ContentDate AcquisitionDateTime
    StudyTime SeriesTime AcquisitionTime ContentTime
    PatientSex BodyPartExamined Laterality ImageLaterality PatientPosition PatientOrientation
    AnatomicRegionSequence CodeValue CodingSchemeDesignator CodingSchemeVersion CodeMeaning
    SeriesNumber AcquisitionNumber InstanceNumber
    ImagePositionPatient ImageOrientationPatient SliceLocation SliceThickness SpacingBetweenSlices
    SamplesPerPixel PhotometricInterpretation PlanarConfiguration NumberOfFrames Rows Columns
    BitsAllocated BitsStored HighBit PixelRepresentation SmallestImagePixelValue
    LargestImagePixelValue PixelPaddingValue PixelPaddingRangeLimit PixelSpacing PixelAspectRatio
    ImagerPixelSpacing PixelSpacingCalibrationType EstimatedRadiographicMagnificationFactor
    WindowCenter WindowWidth VOILUTFunction VOILUTSequence ModalityLUTSequence ModalityLUTType
    LUTDescriptor LUTData RescaleIntercept RescaleSlope RescaleType PresentationLUTShape
    LossyImageCompression LossyImageCompressionRatio LossyImageCompressionMethod
    BurnedInAnnotation QualityControlImage ScanOptions
    ExtendedOffsetTable ExtendedOffsetTableLengths`,
};

const MAGNETIC_RESONANCE: Keywords = {
  C: 'ContrastBolusAgent',
  K: `ScanningSequence SequenceVariant MRAcquisitionType SequenceName AngioFlag RepetitionTime
    EchoTime InversionTime NumberOfAverages ImagingFrequency ImagedNucleus EchoNumbers
    MagneticFieldStrength NumberOfPhaseEncodingSteps EchoTrainLength PercentSampling
    PercentPhaseFieldOfView PixelBandwidth AcquisitionMatrix InPlanePhaseEncodingDirection
    FlipAngle VariableFlipAngleFlag SAR dBdt ReconstructionDiameter TriggerTime
    NumberOfTemporalPositions TemporalPositionIdentifier TemporalResolution`,
};

const COMPUTED_TOMOGRAPHY: Keywords = {
  C: 'ContrastBolusAgent',
  K: `KVP DataCollectionDiameter ReconstructionDiameter DistanceSourceToDetector
    DistanceSourceToPatient GantryDetectorTilt TableHeight RotationDirection ExposureTime
    XRayTubeCurrent Exposure FilterType GeneratorPower FocalSpots ConvolutionKernel
    RevolutionTime SingleCollimationWidth TotalCollimationWidth TableSpeed TableFeedPerRotation
    SpiralPitchFactor DataCollectionCenterPatient ReconstructionTargetCenterPatient
    ExposureModulationType CTDIvol AcquisitionType SpatialResolution`,
};

const RADIOGRAPHY: Keywords = {
  K: `PresentationIntentType KVP DistanceSourceToDetector DistanceSourceToPatient ExposureTime
    XRayTubeCurrent Exposure ExposureInuAs ExposureTimeInuS XRayTubeCurrentInuA ViewPosition
    ViewCodeSequence ViewModifierCodeSequence FilterType FilterMaterial CassetteOrientation
    CassetteSize PlateType PhosphorType RelativeXRayExposure Sensitivity ExposureIndex
    TargetExposureIndex DeviationIndex PositionerType DetectorType DetectorConfiguration
    DetectorElementSpacing DetectorActiveShape FieldOfViewShape FieldOfViewDimensions
    FieldOfViewOrigin FieldOfViewRotation FieldOfViewHorizontalFlip PixelIntensityRelationship
    PixelIntensityRelationshipSign CollimatorShape CollimatorLeftVerticalEdge
    CollimatorRightVerticalEdge CollimatorUpperHorizontalEdge CollimatorLowerHorizontalEdge
    Grid ExposureControlMode BodyPartThickness`,
};

function keepList(...families: readonly Keywords[]): KeepList {
  const list = new Map<number, Action>();
  for (const family of families) {
    for (const [action, keywords] of Object.entries(family)) {
      for (const keyword of keywords.split(/\s+/)) list.set(tagOf(keyword), action as Action);
    }
  }
  return list;
}

const MR_LIST = keepList(COMMON, MAGNETIC_RESONANCE);
const CT_LIST = keepList(COMMON, COMPUTED_TOMOGRAPHY);
const RADIOGRAPHY_LIST = keepList(COMMON, RADIOGRAPHY);

/** SOP class → keep-list. PS3.4 B.5: MR, CT, CR, DX for presentation and for processing. */
export const KEEP_LISTS: ReadonlyMap<string, KeepList> = new Map([
  ['1.2.840.10008.5.1.4.1.1.4', MR_LIST],
  ['1.2.840.10008.5.1.4.1.1.2', CT_LIST],
  ['1.2.840.10008.5.1.4.1.1.1', RADIOGRAPHY_LIST],
  ['1.2.840.10008.5.1.4.1.1.1.1', RADIOGRAPHY_LIST],
  ['1.2.840.10008.5.1.4.1.1.1.1.1', RADIOGRAPHY_LIST],
]);
