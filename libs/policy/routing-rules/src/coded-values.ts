/**
 * Coded values that a reason may show, and the names of attributes in words.
 * Decides what of an image may stand in a sentence: values of these closed lists only, as a coded
 * tag can hold anything that somebody typed, a name included.
 * Source: PS3.3 C.7.3.1.1.1 (modality), C.7.3.1.1.2 (patient position), C.8.7.1, C.8.3 (view
 * position), PS3.16 annex L (body parts).
 */
import type { RuleAttribute } from '@aifi/contracts-manifests';
import type { Words } from './verdict.js';

const list = (text: string): ReadonlySet<string> => new Set(text.split(/\s+/).filter(Boolean));

const SIDES = list('L R B U');
const MODALITIES = list(`
  ANN AR ASMT AU BDUS BI BMD CFM CR CT CTPROTOCOL DG DMS DOC DX ECG EEG EMG EOG EPS ES FID GM HC HD
  IO IOL IVOCT IVUS KER KO LEN LS M3D MG MR NM OAM OCT OP OPM OPT OPTBSV OPTENF OPV OSS OT PA PLAN
  POS PR PT PX REG RESP RF RG RTDOSE RTIMAGE RTINTENT RTPLAN RTRAD RTRECORD RTSEGANN RTSTRUCT RWV
  SEG SM SMR SR SRF STAIN TEXTUREMAP TG US VA XA XAPROTOCOL XC`);
const BODY_PARTS = list(`
  ABDOMEN ABDOMENPELVIS ADRENAL ANKLE AORTA ARM AXILLA BACK BLADDER BRAIN BREAST BRONCHUS BUTTOCK
  CALCANEUS CALF CAROTID CHEST CHESTABDOMEN CHESTABDPELVIS CLAVICLE COCCYX COLON CSPINE CTSPINE EAR
  ELBOW ESOPHAGUS EXTREMITY EYE FACE FEMUR FIBULA FINGER FOOT FOREARM HAND HEAD HEADNECK HEART HEEL
  HIP HUMERUS IAC ILIUM JAW KIDNEY KNEE LEG LIVER LOWERLEG LOWERLIMB LSPINE LSSPINE LUNG MANDIBLE
  MAXILLA MEDIASTINUM NASALBONE NECK NECKCHEST NECKCHESTABDOMEN NECKCHESTABDPELV ORBIT OVARY
  PANCREAS PATELLA PELVIS PROSTATE RADIUS RADIUSULNA RIB SCAPULA SHOULDER SINUS SIJOINT SKULL SPINE
  SPLEEN SSPINE STERNUM STOMACH TESTIS THIGH THUMB THYMUS THYROID TIBIA TIBIAFIBULA TLSPINE TMJ TOE
  TRACHEA TSPINE ULNA UPPERARM UPPERLIMB UTERUS WHOLEBODY WRIST ZYGOMA`);
const VIEWS = list('AP PA LL RL RLD LLD RLO LLO CC MLO ML LM LMO FB SIO XCC XCCL XCCM');
const POSITIONS = list(`
  HFP HFS HFDR HFDL FFP FFS FFDR FFDL LFP LFS RFP RFS AFP AFS AFDR AFDL PFP PFS PFDR PFDL`);

const CLOSED: Partial<Record<RuleAttribute, ReadonlySet<string>>> = {
  modality: MODALITIES,
  bodyPartExamined: BODY_PARTS,
  laterality: SIDES,
  viewPosition: VIEWS,
  patientPosition: POSITIONS,
};

export const ATTRIBUTE_WORDS: Readonly<Record<RuleAttribute, Words>> = {
  modality: { en: 'modality', nl: 'modaliteit' },
  sopClassUid: { en: 'kind of image', nl: 'soort beeld' },
  seriesDescription: { en: 'series description', nl: 'seriebeschrijving' },
  protocolName: { en: 'protocol name', nl: 'protocolnaam' },
  bodyPartExamined: { en: 'body part', nl: 'lichaamsdeel' },
  imageType: { en: 'image type', nl: 'beeldtype' },
  laterality: { en: 'side', nl: 'zijde' },
  viewPosition: { en: 'view', nl: 'opnamerichting' },
  manufacturer: { en: 'manufacturer', nl: 'fabrikant' },
  manufacturerModelName: { en: 'type of scanner', nl: 'type apparaat' },
  convolutionKernel: { en: 'reconstruction kernel', nl: 'reconstructiekernel' },
  contrastBolusAgent: { en: 'contrast agent', nl: 'contrastmiddel' },
  patientPosition: { en: 'position of the patient', nl: 'ligging van de patiënt' },
};

/** The values in order that may be shown; empty: none may. */
export function shown(attribute: RuleAttribute, values: readonly string[]): readonly string[] {
  const closed = CLOSED[attribute];
  return [...new Set(values)].filter((value) => closed?.has(value)).sort();
}

/** More of a list than this makes a sentence that nobody reads. */
const LISTED_MAX = 4;

/** "modality CT is not MR"; `found` only holds what may be shown, `allowed` comes from rules. */
export function isNotOneOf(
  subject: Words,
  found: readonly string[],
  allowed: readonly string[],
): Words {
  const value = found.length > 0 ? ` ${found.join(', ')}` : '';
  const listed = allowed.slice(0, LISTED_MAX).join(', ');
  const more = allowed.length - LISTED_MAX;
  if (allowed.length === 1) {
    return {
      en: `${subject.en}${value} is not ${listed}`,
      nl: `${subject.nl}${value} is niet ${listed}`,
    };
  }
  return {
    en: `${subject.en}${value} is none of ${listed}${more > 0 ? ` and ${more} more` : ''}`,
    nl: `${subject.nl}${value} is geen van ${listed}${more > 0 ? ` en nog ${more}` : ''}`,
  };
}
