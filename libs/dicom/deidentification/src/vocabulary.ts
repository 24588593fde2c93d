/**
 * Vocabulary: the words that a description may keep.
 * Decides Clean Descriptors: a description is cut into words and only listed words survive, in one
 * spelling, so that no name, number or date can hide in it.
 * Invariant: the output holds nothing but words of this list.
 * Source: PS3.15 E.3.5 (Clean Descriptors), pseudonymisation specification 1.1 (113105).
 */

const WORDS = `
  2D 3D 4D T1 T1W T1WI T2 T2W T2WI PD PDW FLAIR DWI ADC DTI SWI SWAN GRE SE TSE FSE TIR STIR
  TIRM IR EPI TOF MRA MRV MPRAGE MP2RAGE SPGR FSPGR BRAVO TFE FFE VIBE SPACE CUBE VISTA HASTE
  DIXON PERFUSION DIFFUSION TRACE FATSAT FS GD
  AX AXIAL TRA TRANS TRANSVERSE COR CORONAL SAG SAGITTAL OBL OBLIQUE AP PA LAT LATERAL
  ISO THIN THICK PRE POST PLAIN CONTRAST NATIVE CONTRASTED ARTERIAL VENOUS PORTAL DELAYED
  CT CTA MR MRI CR DX XR
  HEAD SKULL BRAIN NEURO CEREBRUM NECK SPINE CERVICAL THORACIC LUMBAR CHEST THORAX LUNG LUNGS
  HEART CARDIAC AORTA PULMONARY PE ABDOMEN LIVER KIDNEY PELVIS HIP FEMUR KNEE ANKLE FOOT LEG
  SHOULDER HUMERUS ELBOW FOREARM WRIST HAND FINGER ARM EXTREMITY LIMB BONE AGE LEFT RIGHT
  HOOFD SCHEDEL HERSENEN NEK BUIK BEKKEN HEUP KNIE ENKEL VOET SCHOUDER ELLEBOOG POLS VINGER
  LINKS RECHTS BOT ROUTINE STANDARD SOFT SHARP KERNEL LOCALIZER LOCALISER SCOUT TOPOGRAM
  SURVEY MPR MIP RECON ANAT ANATOMICAL STRUCTURAL
`;
const VOCABULARY: ReadonlySet<string> = new Set(WORDS.trim().split(/\s+/));

/** The listed words of a description in their order, upper case; '' when none is left. */
export function cleanDescriptor(text: string): string {
  return text
    .toUpperCase()
    .split(/[^A-Z0-9]+/)
    .filter((word) => VOCABULARY.has(word))
    .join(' ');
}
