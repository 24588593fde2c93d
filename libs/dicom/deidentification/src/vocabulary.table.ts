/**
 * Words and phrases that a description may keep.
 * Decides nothing: `vocabulary.ts` cuts descriptions with them. Words are those of anatomy, views,
 * sequences, contrast and series in English and Dutch; no word is a number of more than three
 * digits or a date. Phrases are eponyms and devices that carry the name of somebody who is not the
 * patient: they survive whole and as written here, or not at all.
 * Source: PS3.15 E.3.5; PS3.16 annex L (body parts), CID 4; pseudonymisation specification 3.
 */
export const DESCRIPTION_WORDS = `
  2D 3D 4D T1 T1W T1WI T2 T2W T2WI T2STAR PD PDW FLAIR DWI ADC DTI SWI SWAN GRE SE TSE FSE TIR STIR
  TIRM IR EPI TOF MRA MRV MRCP MPRAGE MP2RAGE SPGR FSPGR BRAVO TFE FFE VIBE SPACE CUBE VISTA HASTE
  SSFSE BLADE PROPELLER FIESTA TRUFI CISS SPAIR SPIR BFFE LAVA THRIVE EADC DCE DSC ASL BOLD FMRI
  DIXON PERFUSION DIFFUSION TRACE FATSAT FS GD DYN DYNAMIC SPECTROSCOPY SUB SUBTRACTION MAP B0 B50
  B500 B800 B1000 B1500
  AX AXIAL TRA TRANS TRANSVERSE TRANSVERSAAL COR CORONAL CORONAAL SAG SAGITTAL SAGITTAAL OBL
  OBLIQUE AP PA LAT LATERAL LATERAAL DORSAL PALMAR PLANTAR VOLAR MEDIAL SUPINE PRONE ERECT
  STANDING STAAND LIGGEND DECUBITUS CC MLO ML LM LMO XCCL XCCM MAGNIFICATION TOMO TOMOSYNTHESIS
  ISO THIN THICK PRE POST PLAIN CONTRAST NATIVE CONTRASTED ARTERIAL VENOUS PORTAL DELAYED EARLY
  LATE EXCRETORY PHASE BLANCO ARTERIEEL VENEUS PORTAAL UNENHANCED ENHANCED WITH WITHOUT MET ZONDER
  IV LOW DOSE LOWDOSE HIGH RESOLUTION HR HRCT LDCT
  CT CTA CBCT MR MRI CR DX XR MG RX US NM PT RONTGEN
  HEAD SKULL BRAIN NEURO CEREBRUM CEREBELLUM NECK SPINE CERVICAL THORACIC LUMBAR SACRUM COCCYX
  CHEST THORAX LUNG LUNGS HEART CARDIAC CORONARY AORTA PULMONARY PE ABDOMEN LIVER KIDNEY KIDNEYS
  PELVIS HIP HIPS FEMUR KNEE KNEES PATELLA TIBIA FIBULA ANKLE FOOT FEET TOE TOES CALCANEUS HEEL
  LEG LEGS SHOULDER CLAVICLE SCAPULA HUMERUS ELBOW FOREARM RADIUS ULNA WRIST SCAPHOID CARPUS HAND
  HANDS FINGER FINGERS THUMB ARM ARMS EXTREMITY EXTREMITIES LIMB BONE AGE LEFT RIGHT BOTH BILATERAL
  LINKS RECHTS BEIDE BEIDERZIJDS BREAST MAMMA PROSTATE PANCREAS SPLEEN BLADDER UTERUS OVARY BOWEL
  COLON STOMACH ESOPHAGUS THYROID PITUITARY ORBIT ORBITS SINUS SINUSES FACE FACIAL JAW MANDIBLE
  MAXILLA NOSE EAR TEMPORAL MASTOID STERNUM RIB RIBS SI SACROILIAC JOINT JOINTS VESSEL VESSELS
  CAROTID CIRCLE RENAL ADRENAL WHOLE BODY TOTAL SPINAL
  HOOFD SCHEDEL HERSENEN NEK HALS BUIK BEKKEN HEUP HEUPEN BOVENBEEN KNIE ONDERBEEN ENKEL VOET TEEN
  SCHOUDER BOVENARM ELLEBOOG ONDERARM POLS VINGER VINGERS DUIM HANDEN LONG LONGEN HART LEVER NIER
  NIEREN WERVELKOLOM CWK TWK LWK RUG AANGEZICHT KAAK RIBBEN BOT LEEFTIJD SKELETLEEFTIJD
  HANDSKELET SKELET SKELETON BORST SLEUTELBEEN HIEL KUIT
  ROUTINE STANDARD SOFT SHARP KERNEL TISSUE WINDOW LOCALIZER LOCALISER SCOUT TOPOGRAM SURVEY MPR
  MIP MINIP VR RECON SERIES STUDY SCAN IMAGE IMAGES ANAT ANATOMICAL STRUCTURAL FILTERED ORIGINAL
  ISOTROPIC VOLUME GATED BREATH HOLD INSPIRATION EXPIRATION PROTOCOL ACQUISITION FRACTURE TRAUMA
  SCREENING HELICAL SPIRAL SEQUENTIAL SINGLE DUAL ENERGY MONO IODINE WATER
  GADOLINIUM BARIUM IOHEXOL IODIXANOL IOMEPROL IOPROMIDE IOVERSOL IOPAMIDOL GADOTERATE GADOBUTROL
  DOTAREM GADOVIST OMNIPAQUE ULTRAVIST XENETIX IOMERON VISIPAQUE ISOVUE ORAL RECTAL NONE JODIUM
`;

/**
 * `Spelling in the output | other spellings`, compared without case, diacritics and separators.
 */
export const DESCRIPTION_PHRASES: readonly string[] = [
  'Alzheimer disease | Alzheimer',
  'Arnold-Chiari',
  'Baastrup disease',
  'Bankart lesion',
  'Bennett fracture | Bennettfractuur | Bennett fractuur',
  'Blount disease',
  'Caldwell view',
  'Chiari malformation | Chiari malformatie',
  'Circle of Willis | cirkel van Willis',
  'Colles fracture | Collesfractuur | Colles fractuur',
  'Crohn disease | morbus Crohn | M. Crohn | ziekte van Crohn',
  'Dandy-Walker',
  'Dunn view',
  'Ewing sarcoma | Ewingsarcoom | Ewing sarcoom',
  'Freiberg disease',
  'Galeazzi fracture',
  'Greulich-Pyle | Greulich and Pyle | Greulich en Pyle',
  'Hand-Schueller-Christian | Hand-Schuller-Christian | Hand-Schüller-Christian disease',
  'Haglund deformity | Haglund',
  'Hickman catheter | Hickmankatheter | Hickman katheter',
  'Hill-Sachs',
  'Judet view | Judet opname',
  'Kienbock disease | Kienböck',
  'Kohler disease | Köhler disease',
  'Langerhans cell histiocytosis',
  'Lauenstein view | Lauenstein opname',
  'Legg-Calve-Perthes | Legg-Calvé-Perthes | morbus Perthes | Perthes disease',
  'Lisfranc fracture | Lisfranc',
  'Madelung deformity',
  'Merchant view',
  'Monteggia fracture',
  'Norgaard view | Nørgaard view',
  'Osgood-Schlatter',
  'Paget disease | morbus Paget | ziekte van Paget',
  'Parkinson disease | ziekte van Parkinson',
  'Pieter-view | Pieter view',
  'Port-a-cath',
  'Rhese view',
  'Rosenberg view',
  'Scheuermann disease | morbus Scheuermann',
  'Segond fracture',
  'Sever disease',
  'Smith fracture | Smithfractuur',
  'Stenvers view | Stenvers opname',
  'Swan-Ganz catheter',
  'Tanner-Whitehouse',
  'Towne view | Towne opname',
  'Waters view | Waters opname',
];
