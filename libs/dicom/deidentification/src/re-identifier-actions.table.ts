/**
 * What the re-identifier does with an attribute of a result.
 * Decides nothing: it is the account of the gateway's re-identification for the conformance
 * statement, and the stage there is tested against these lines. First line that fits holds.
 * Source: PS3.2 N.8.4.4 (re-identifier column); results specification 4.1.1, 4.1.2; PS3.15 E.1.2.
 */
export interface ReIdentifierAction {
  /** `keywords`, `group`, `vr`, `after` (tags above) or `else`. */
  readonly selects: 'keywords' | 'group' | 'vr' | 'after' | 'else';
  /** Keywords or VRs separated by spaces, a group or a tag in hexadecimal digits. */
  readonly what: string;
  readonly action: 'restored' | 'removed' | 'mapped back' | 'un-shifted' | 'kept';
  readonly words: string;
}

export const RE_IDENTIFIER_ACTIONS: readonly ReIdentifierAction[] = [
  {
    selects: 'keywords',
    what: `SpecificCharacterSet StudyDate StudyTime AccessionNumber IssuerOfAccessionNumberSequence
      ReferringPhysicianName StudyDescription PatientName PatientID IssuerOfPatientID
      IssuerOfPatientIDQualifiersSequence PatientBirthDate PatientSex StudyInstanceUID StudyID`,
    action: 'restored',
    words: 'from the current identity, byte-equal to the original; absent there, absent here',
  },
  {
    selects: 'keywords',
    what: `PatientIdentityRemoved DeidentificationMethod DeidentificationMethodCodeSequence
      LongitudinalTemporalInformationModified`,
    action: 'removed',
    words: 'markers of de-identification: a result is a clinical object',
  },
  {
    selects: 'group',
    what: '0010',
    action: 'removed',
    words: 'no patient attribute of the hub survives',
  },
  {
    selects: 'after',
    what: '7FE00010',
    action: 'removed',
    words: 'padding, or a signature that no longer holds',
  },
  {
    selects: 'vr',
    what: 'UI',
    action: 'mapped back',
    words: 'by the vault, or kept when minted and listed by the hub, a device’s or of the standard',
  },
  {
    selects: 'vr',
    what: 'DA DT',
    action: 'un-shifted',
    words: 'by the offset of the patient',
  },
  { selects: 'else', what: '', action: 'kept', words: 'as the hub wrote it' },
];
