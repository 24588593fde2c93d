/**
 * Attributes that may leave, by family of SOP classes and by action.
 * Decides nothing by itself: `keep-list.ts` makes the lists of the SOP classes from these words.
 * K keep (dates by VR are shifted, UIDs by VR remapped); C clean: reduce to the vocabulary; D our
 * dummy or pseudonym; Z empty; U remap a UID. What is not written here is removed.
 * Source: PS3.3 annexes A.2-A.8, A.14, A.16, A.26, A.36, A.38 (which attributes an image needs),
 * PS3.15 Table E.1-1 (what may be kept); pseudonymisation specification 1.1-1.2.
 */
export type Action = 'K' | 'C' | 'D' | 'Z' | 'U';
export type Keywords = Readonly<Partial<Record<Action, string>>>;

export const COMMON: Keywords = {
  D: `PatientName PatientID PatientAge StudyID SpecificCharacterSet BurnedInAnnotation
    PixelSpacingCalibrationDescription`,
  Z: `PatientBirthDate AccessionNumber ReferringPhysicianName PositionReferenceIndicator
    AcquisitionContextSequence`,
  U: 'SOPInstanceUID StudyInstanceUID SeriesInstanceUID FrameOfReferenceUID',
  C: 'StudyDescription SeriesDescription ProtocolName',
  K: `SOPClassUID ImageType Modality Manufacturer ManufacturerModelName SoftwareVersions
    StudyDate SeriesDate AcquisitionDate ContentDate AcquisitionDateTime
    StudyTime SeriesTime AcquisitionTime ContentTime
    PatientSex PatientSize PatientWeight PregnancyStatus
    BodyPartExamined Laterality ImageLaterality PatientPosition PatientOrientation
    AnatomicRegionSequence AnatomicRegionModifierSequence
    CodeValue CodingSchemeDesignator CodingSchemeVersion CodeMeaning
    SeriesNumber AcquisitionNumber InstanceNumber ImagesInAcquisition
    ImagePositionPatient ImageOrientationPatient SliceLocation SliceThickness SpacingBetweenSlices
    SamplesPerPixel PhotometricInterpretation PlanarConfiguration NumberOfFrames Rows Columns
    BitsAllocated BitsStored HighBit PixelRepresentation SmallestImagePixelValue
    LargestImagePixelValue PixelPaddingValue PixelPaddingRangeLimit PixelSpacing PixelAspectRatio
    ImagerPixelSpacing PixelSpacingCalibrationType EstimatedRadiographicMagnificationFactor
    WindowCenter WindowWidth VOILUTFunction VOILUTSequence ModalityLUTSequence ModalityLUTType
    LUTDescriptor LUTData RescaleIntercept RescaleSlope RescaleType PresentationLUTShape
    LossyImageCompression LossyImageCompressionRatio LossyImageCompressionMethod
    QualityControlImage ScanOptions`,
};

/** Colour by table, as US, secondary capture and perfusion maps have it (PS3.3 C.7.6.3, C.7.9). */
export const PALETTE: Keywords = {
  K: `RedPaletteColorLookupTableDescriptor GreenPaletteColorLookupTableDescriptor
    BluePaletteColorLookupTableDescriptor RedPaletteColorLookupTableData
    GreenPaletteColorLookupTableData BluePaletteColorLookupTableData`,
};

/** Time course of many frames (PS3.3 C.7.6.5, C.7.6.6). */
export const FRAMES: Keywords = {
  K: `FrameIncrementPointer FrameTime FrameTimeVector FrameDelay ImageTriggerDelay StartTrim StopTrim
    RecommendedDisplayFrameRate CineRate EffectiveDuration ActualFrameDuration
    PreferredPlaybackSequencing RepresentativeFrameNumber AcquisitionDuration`,
};

/** What the shutter hides is no image (PS3.3 C.7.6.11); without it a reader sees the edges. */
export const SHUTTER: Keywords = {
  K: `ShutterShape ShutterLeftVerticalEdge ShutterRightVerticalEdge ShutterUpperHorizontalEdge
    ShutterLowerHorizontalEdge CenterOfCircularShutter RadiusOfCircularShutter
    VerticesOfThePolygonalShutter ShutterPresentationValue`,
};

export const MAGNETIC_RESONANCE: Keywords = {
  C: 'ContrastBolusAgent',
  K: `ScanningSequence SequenceVariant MRAcquisitionType SequenceName AngioFlag RepetitionTime
    EchoTime InversionTime NumberOfAverages ImagingFrequency ImagedNucleus EchoNumbers
    MagneticFieldStrength NumberOfPhaseEncodingSteps EchoTrainLength PercentSampling
    PercentPhaseFieldOfView PixelBandwidth AcquisitionMatrix InPlanePhaseEncodingDirection
    FlipAngle VariableFlipAngleFlag SAR dBdt ReconstructionDiameter TriggerTime
    NumberOfTemporalPositions TemporalPositionIdentifier TemporalResolution`,
};

export const COMPUTED_TOMOGRAPHY: Keywords = {
  C: 'ContrastBolusAgent',
  K: `KVP DataCollectionDiameter ReconstructionDiameter DistanceSourceToDetector
    DistanceSourceToPatient GantryDetectorTilt TableHeight RotationDirection ExposureTime
    XRayTubeCurrent Exposure FilterType GeneratorPower FocalSpots ConvolutionKernel
    RevolutionTime SingleCollimationWidth TotalCollimationWidth TableSpeed TableFeedPerRotation
    SpiralPitchFactor DataCollectionCenterPatient ReconstructionTargetCenterPatient
    ExposureModulationType CTDIvol AcquisitionType SpatialResolution`,
};

export const RADIOGRAPHY: Keywords = {
  K: `PresentationIntentType KVP DistanceSourceToDetector DistanceSourceToPatient ExposureTime
    XRayTubeCurrent Exposure ExposureInuAs ExposureTimeInuS XRayTubeCurrentInuA ViewPosition
    ViewCodeSequence ViewModifierCodeSequence FilterType FilterMaterial CassetteOrientation
    CassetteSize PlateType PhosphorType RelativeXRayExposure Sensitivity ExposureIndex
    TargetExposureIndex DeviationIndex PositionerType DetectorType DetectorConfiguration
    DetectorElementSpacing DetectorActiveShape FieldOfViewShape FieldOfViewDimensions
    FieldOfViewOrigin FieldOfViewRotation FieldOfViewHorizontalFlip PixelIntensityRelationship
    PixelIntensityRelationshipSign CollimatorShape CollimatorLeftVerticalEdge
    CollimatorRightVerticalEdge CollimatorUpperHorizontalEdge CollimatorLowerHorizontalEdge
    CenterOfCircularCollimator RadiusOfCircularCollimator VerticesOfThePolygonalCollimator
    Grid ExposureControlMode BodyPartThickness`,
};

export const MAMMOGRAPHY: Keywords = {
  K: `PositionerPrimaryAngle PositionerSecondaryAngle CompressionForce AnodeTargetMaterial FocalSpots
    OrganExposed OrganDose EntranceDoseInmGy HalfValueLayer BreastImplantPresent PartialView
    PartialViewCodeSequence CalibrationImage PrimaryAnatomicStructureSequence
    DetectorElementPhysicalSize DetectorActiveDimensions DetectorBinning`,
};

export const ULTRASOUND: Keywords = {
  K: `SequenceOfUltrasoundRegions RegionSpatialFormat RegionDataType RegionFlags RegionLocationMinX0
    RegionLocationMinY0 RegionLocationMaxX1 RegionLocationMaxY1 ReferencePixelX0 ReferencePixelY0
    PhysicalUnitsXDirection PhysicalUnitsYDirection ReferencePixelPhysicalValueX
    ReferencePixelPhysicalValueY PhysicalDeltaX PhysicalDeltaY TransducerFrequency
    PulseRepetitionFrequency DopplerCorrectionAngle SteeringAngle DopplerSampleVolumeXPosition
    DopplerSampleVolumeYPosition TMLinePositionX0 TMLinePositionY0 TMLinePositionX1
    TMLinePositionY1 PixelComponentOrganization PixelComponentMask PixelComponentRangeStart
    PixelComponentRangeStop PixelComponentPhysicalUnits PixelComponentDataType
    NumberOfTableBreakPoints TableOfXBreakPoints TableOfYBreakPoints NumberOfTableEntries
    TableOfPixelValues TableOfParameterValues PixelValueMappingCodeSequence
    UltrasoundColorDataPresent StageNumber NumberOfStages ViewNumber NumberOfViewsInStage
    EventElapsedTimes NumberOfEventTimers HeartRate RWaveTimeVector TransducerType DepthOfScanField
    FocusDepth MechanicalIndex BoneThermalIndex CranialThermalIndex SoftTissueThermalIndex
    SoftTissueFocusThermalIndex SoftTissueSurfaceThermalIndex PrimaryAnatomicStructureSequence
    IVUSAcquisition IVUSPullbackRate IVUSGatedRate IVUSPullbackStartFrameNumber
    IVUSPullbackStopFrameNumber ViewCodeSequence ViewModifierCodeSequence`,
};

/** X-ray angiography and radiofluoroscopy (PS3.3 C.8.7). */
export const FLUOROSCOPY: Keywords = {
  C: 'ContrastBolusAgent',
  U: 'ReferencedSOPInstanceUID',
  K: `KVP RadiationSetting RadiationMode XRayTubeCurrent XRayTubeCurrentInuA ExposureTime
    ExposureTimeInuS Exposure ExposureInuAs AveragePulseWidth FilterType FilterMaterial Grid
    IntensifierSize FieldOfViewShape FieldOfViewDimensions FieldOfViewOrigin FieldOfViewRotation
    FieldOfViewHorizontalFlip FocalSpots ImageAndFluoroscopyAreaDoseProduct
    PixelIntensityRelationship PixelIntensityRelationshipSign CalibrationImage
    MaskSubtractionSequence MaskOperation ApplicableFrameRange MaskFrameNumbers MaskSubPixelShift
    TIDOffset ContrastFrameAveraging RecommendedViewingMode
    PositionerMotion PositionerPrimaryAngle PositionerSecondaryAngle
    PositionerPrimaryAngleIncrement PositionerSecondaryAngleIncrement DetectorPrimaryAngle
    DetectorSecondaryAngle DistanceSourceToDetector DistanceSourceToPatient ColumnAngulation
    TableMotion TableVerticalIncrement TableLateralIncrement TableLongitudinalIncrement TableAngle
    TomoLayerHeight TomoAngle TomoTime TomoType TomoClass DetectorType DetectorConfiguration
    DetectorElementSpacing DetectorActiveShape CollimatorShape CollimatorLeftVerticalEdge
    CollimatorRightVerticalEdge CollimatorUpperHorizontalEdge CollimatorLowerHorizontalEdge
    CenterOfCircularCollimator RadiusOfCircularCollimator VerticesOfThePolygonalCollimator
    ReferencedImageSequence ReferencedSOPClassUID ReferencedFrameNumber
    PurposeOfReferenceCodeSequence`,
};

/** PS3.3 C.8.6; the capture device itself is not named. */
export const SECONDARY_CAPTURE: Keywords = {
  K: `ConversionType NominalScannedPixelSpacing PageNumberVector SliceLocationVector
    FramePrimaryAngleVector FrameSecondaryAngleVector`,
};

/** Frames and functional groups of the enhanced objects (PS3.3 C.7.6.16, C.7.6.17). */
export const ENHANCED: Keywords = {
  D: 'DeviceSerialNumber',
  U: 'ConcatenationUID DimensionOrganizationUID IrradiationEventUID SOPInstanceUIDOfConcatenationSource',
  K: `ContentQualification PixelPresentation VolumetricProperties VolumeBasedCalculationTechnique
    FrameType InConcatenationNumber InConcatenationTotalNumber ConcatenationFrameOffsetNumber
    RepresentativeFrameNumber AcquisitionDuration
    SharedFunctionalGroupsSequence PerFrameFunctionalGroupsSequence
    DimensionOrganizationSequence DimensionOrganizationType DimensionIndexSequence
    DimensionIndexPointer FunctionalGroupPointer
    PixelMeasuresSequence PlanePositionSequence PlaneOrientationSequence
    FrameAnatomySequence FrameLaterality FrameContentSequence FrameAcquisitionNumber
    FrameAcquisitionDateTime FrameReferenceDateTime FrameAcquisitionDuration StackID
    InStackPositionNumber TemporalPositionIndex DimensionIndexValues CardiacCyclePosition
    RespiratoryCyclePosition TemporalPositionSequence TemporalPositionTimeOffset
    FrameVOILUTSequence PixelValueTransformationSequence RealWorldValueMappingSequence
    LUTExplanation LUTLabel MeasurementUnitsCodeSequence RealWorldValueLastValueMapped
    RealWorldValueFirstValueMapped RealWorldValueIntercept RealWorldValueSlope
    DoubleFloatRealWorldValueFirstValueMapped DoubleFloatRealWorldValueLastValueMapped
    IrradiationEventIdentificationSequence PatientOrientationCodeSequence
    PatientOrientationModifierCodeSequence PatientGantryRelationshipCodeSequence
    PrimaryAnatomicStructureSequence
    ContrastBolusAgentSequence ContrastBolusAdministrationRouteSequence ContrastBolusAgentNumber
    ContrastBolusVolume ContrastBolusIngredientCodeSequence ContrastBolusIngredientConcentration
    ContrastBolusUsageSequence ContrastBolusAgentAdministered ContrastBolusAgentDetected
    ContrastBolusAgentPhase
    CardiacSynchronizationSequence CardiacSynchronizationTechnique CardiacSignalSource
    CardiacRRIntervalSpecified CardiacBeatRejectionTechnique CardiacFramingType
    NominalCardiacTriggerDelayTime NominalPercentageOfCardiacPhase RRIntervalTimeNominal
    ActualCardiacTriggerDelayTime LowRRValue HighRRValue IntervalsAcquired IntervalsRejected HeartRate
    RespiratorySynchronizationSequence RespiratoryMotionCompensationTechnique
    RespiratorySignalSource RespiratoryTriggerType RespiratoryTriggerDelayThreshold
    RespiratoryIntervalTime NominalRespiratoryTriggerDelayTime ActualRespiratoryTriggerDelayTime
    NominalPercentageOfRespiratoryPhase StartingRespiratoryAmplitude StartingRespiratoryPhase
    EndingRespiratoryAmplitude EndingRespiratoryPhase BulkMotionCompensationTechnique
    BulkMotionSignalSource`,
};

export const ENHANCED_COMPUTED_TOMOGRAPHY: Keywords = {
  K: `CTImageFrameTypeSequence CTAcquisitionTypeSequence AcquisitionType TubeAngle ConstantVolumeFlag
    FluoroscopyFlag CTAcquisitionDetailsSequence RotationDirection RevolutionTime
    SingleCollimationWidth TotalCollimationWidth TableHeight GantryDetectorTilt
    DataCollectionDiameter CTTableDynamicsSequence TableSpeed TableFeedPerRotation SpiralPitchFactor
    CTPositionSequence TablePosition DataCollectionCenterPatient ReconstructionTargetCenterPatient
    CTGeometrySequence DistanceSourceToDetector DistanceSourceToDataCollectionCenter
    CTReconstructionSequence ReconstructionAlgorithm ConvolutionKernel ConvolutionKernelGroup
    ReconstructionDiameter ReconstructionFieldOfView ReconstructionPixelSpacing ReconstructionAngle
    ImageFilter CTExposureSequence ExposureModulationType ExposureTimeInms XRayTubeCurrentInmA
    ExposureInmAs CTDIvol CTDIPhantomTypeCodeSequence EstimatedDoseSaving
    CTXRayDetailsSequence KVP FocalSpots FilterType FilterMaterial CTAdditionalXRaySourceSequence
    EnergyWeightingFactor ReferencedXRaySourceIndex ReferencedPathIndex MultienergyCTAcquisition
    MultienergyCTCharacteristicsSequence MonoenergeticEnergyEquivalent`,
};

export const ENHANCED_MAGNETIC_RESONANCE: Keywords = {
  K: `MRImageFrameTypeSequence ComplexImageComponent AcquisitionContrast MagneticFieldStrength
    ResonantNucleus KSpaceFiltering ApplicableSafetyStandardAgency MRAcquisitionType
    PulseSequenceName EchoPulseSequence MultipleSpinEcho MultiPlanarExcitation PhaseContrast
    TimeOfFlightContrast ArterialSpinLabelingContrast SteadyStatePulseSequence
    EchoPlanarPulseSequence SaturationRecovery SpectrallySelectedSuppression OversamplingPhase
    GeometryOfKSpaceTraversal RectilinearPhaseEncodeReordering SegmentedKSpaceTraversal
    CoverageOfKSpace NumberOfKSpaceTrajectories VelocityEncodingAcquisitionSequence
    MRTimingAndRelatedParametersSequence RepetitionTime FlipAngle EchoTrainLength RFEchoTrainLength
    GradientEchoTrainLength GradientOutputType GradientOutput SpecificAbsorptionRateSequence
    SpecificAbsorptionRateDefinition SpecificAbsorptionRateValue OperatingModeSequence
    OperatingModeType OperatingMode MRFOVGeometrySequence InPlanePhaseEncodingDirection
    MRAcquisitionFrequencyEncodingSteps MRAcquisitionPhaseEncodingStepsInPlane
    MRAcquisitionPhaseEncodingStepsOutOfPlane PercentSampling PercentPhaseFieldOfView
    MREchoSequence EffectiveEchoTime MRModifierSequence InversionRecovery InversionTimes
    FlowCompensation FlowCompensationDirection Spoiling T2Preparation SpectrallySelectedExcitation
    SpatialPresaturation PartialFourier PartialFourierDirection ParallelAcquisition
    ParallelAcquisitionTechnique ParallelReductionFactorInPlane ParallelReductionFactorOutOfPlane
    ParallelReductionFactorSecondInPlane MRImagingModifierSequence MagnetizationTransfer
    BloodSignalNulling Tagging TagSpacingFirstDimension TagAngleFirstAxis TagSpacingSecondDimension
    TagAngleSecondAxis TagThickness TransmitterFrequency PixelBandwidth MRReceiveCoilSequence
    ReceiveCoilName ReceiveCoilType QuadratureReceiveCoil ReceiveCoilManufacturerName
    MultiCoilDefinitionSequence MultiCoilElementName MultiCoilElementUsed MRTransmitCoilSequence
    TransmitCoilName TransmitCoilManufacturerName TransmitCoilType MRDiffusionSequence
    DiffusionBValue DiffusionDirectionality DiffusionGradientDirectionSequence
    DiffusionGradientOrientation DiffusionAnisotropyType DiffusionBMatrixSequence DiffusionBValueXX
    DiffusionBValueXY DiffusionBValueXZ DiffusionBValueYY DiffusionBValueYZ DiffusionBValueZZ
    MRAveragesSequence NumberOfAverages MRSpatialSaturationSequence SlabThickness SlabOrientation
    MidSlabPosition MRVelocityEncodingSequence VelocityEncodingDirection
    VelocityEncodingMinimumValue VelocityEncodingMaximumValue`,
};
