/**
 * What each role may do at a gateway, route by route: written by hand from security specification
 * 5, beside the code's own table and not from it. A difference between the two is a finding.
 * The roles that inherit are written out as the text under the table says.
 */
import type { Role } from '@aifi/access-authorisation';
import type { gatewayRoutes, signInRoutes } from '@aifi/contracts-rest';

/**
 * all: whoever has the role, of this hospital or of none. own: people of this hospital; for those
 * of another one nothing here exists. mine: a list of what is of the own hospital: another
 * hospital's people get an empty one. two: as own, once a second person has agreed. see: the object
 * is seen and this is refused. acts: the own acts only. -: refused. any: whoever is signed in.
 * public: everybody.
 */
export type Right = 'all' | 'own' | 'mine' | 'two' | 'see' | 'acts' | '-' | 'any' | 'public';
export type RouteId = keyof typeof gatewayRoutes | keyof typeof signInRoutes;

// prettier-ignore
const ROLES_IN_ORDER = [
  'hospital-it', 'radiologist', 'central-operator', 'model-manager', 'vendor', 'auditor', 'raio',
  'procurement', 'radiographer', 'resident', 'physician-assistant', 'referring-clinician',
  'clinical-physicist', 'privacy-officer',
] as const satisfies readonly Role[];
type Cells = readonly Right[] & { readonly length: 14 };

// prettier-ignore
const MATRIX = {
  //                 IT     rad    oper   mmgr   vend   audit  raio   proc   radgr  resid  pa     ref    phys   priv
  // "Gateway config, routes, AETs": R health of the operator; a hospital's IT, RAIO, physicist, privacy officer.
  status:           ['own', '-',   'all', '-',   '-',   'all', 'own', '-',   '-',   '-',   '-',   '-',   'own', 'own'],
  // "Gateway config, routes, AETs": W (own) hospital IT, which joins the hub; what is seen is as the status.
  link:             ['own', '-',   'all', '-',   '-',   'all', 'own', '-',   '-',   '-',   '-',   '-',   'own', 'own'],
  joinLink:         ['own', '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-'  ],
  // "Gateway config, routes, AETs": what is seen as the status, every act W (own) hospital IT.
  setup:            ['own', '-',   'all', '-',   '-',   'all', 'own', '-',   '-',   '-',   '-',   '-',   'own', 'own'],
  runSetupChecks:   ['own', '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-'  ],
  stopSetupChecks:  ['own', '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-'  ],
  planSetup:        ['own', '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-'  ],
  applySetup:       ['own', '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-'  ],
  undoSetup:        ['own', '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-'  ],
  probe:            ['own', '-',   'all', '-',   '-',   'all', 'own', '-',   '-',   '-',   '-',   '-',   'own', 'own'],
  runProbe:         ['own', '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-'  ],
  // "Delete/replay dead letter": W hospital IT, R auditor; the physicist has IT's R, the privacy
  // officer the auditor's for the own site.
  deadLetters:      ['own', '-',   '-',   '-',   '-',   'all', '-',   '-',   '-',   '-',   '-',   '-',   'own', 'own'],
  replayDeadLetter: ['own', '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-'  ],
  replayDeadLetters:['own', '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-'  ],
  // Studies of the PACS that did not come: as the hospital's list; hospital IT and the radiologist's
  // roles see them, hospital IT alone says that one need not come.
  reconciliation:   ['own', 'own', '-',   '-',   '-',   '-',   '-',   '-',   'own', 'own', 'own', '-',   'own', '-'],
  dismissMissedStudy:['own', '-',  '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-'],
  // Products asked for by name: seen as the study, asked for by hospital IT and who reads images.
  productRequests:  ['own', 'own', '-',   '-',   '-',   '-',   '-',   '-',   'own', 'own', 'own', '-',   'own', '-'],
  requestProduct:   ['own', 'own', '-',   '-',   '-',   '-',   '-',   '-',   'own', 'own', 'own', '-',   '-',   '-'],
  // The hospital's procedure codes: configuration without patients; hospital IT changes it, who
  // reads images, RAIO and operator, auditor and privacy officer see it.
  catalogue:        ['own', 'own', 'all', '-',   '-',   'all', 'own', '-',   'own', 'own', 'own', '-',   'own', 'own'],
  catalogueCoverage:['own', 'own', 'all', '-',   '-',   'all', 'own', '-',   'own', 'own', 'own', '-',   'own', 'own'],
  exportCatalogue:  ['own', 'own', 'all', '-',   '-',   'all', 'own', '-',   'own', 'own', 'own', '-',   'own', 'own'],
  checkCatalogue:   ['own', '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-'],
  importCatalogue:  ['own', '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-'],
  rollBackCatalogue:['own', '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-'],
  // Objections of patients, by number: hospital IT and privacy officer change, who is with the
  // patient sees.
  findObjections:   ['own', 'own', '-',   '-',   '-',   '-',   '-',   '-',   'own', 'own', 'own', '-',   '-',   'own'],
  setObjection:     ['own', '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   'own'],
  withdrawObjection:['own', '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   'own'],
  checkObjectionList:['own', '-',  '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   'own'],
  importObjectionList:['own', '-', '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   'own'],
  receiveConsent:   ['own', '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   'own'],
  fetchMissedStudy: ['own', '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-'],
  // Studies fetched from the PACS: who reads images may have one fetched; the physicist has IT's R.
  retrievals:       ['own', 'own', '-',   '-',   '-',   '-',   '-',   '-',   'own', 'own', 'own', '-',   'own', '-'],
  requestRetrieval: ['own', 'own', '-',   '-',   '-',   '-',   '-',   '-',   'own', 'own', 'own', '-',   '-',   '-'],
  withdrawRetrieval:['own', 'own', '-',   '-',   '-',   '-',   '-',   '-',   'own', 'own', 'own', '-',   '-',   '-'],
  // Images that wait for a person: hospital IT and who makes or reads images; the auditor and the
  // privacy officer see the list.
  pixelHolds:       ['own', 'own', '-',   '-',   '-',   'all', '-',   '-',   'own', 'own', 'own', '-',   'own', 'own'],
  // "Identified data on gateway": the images may show who the patient is.
  openPixelHold:    ['own', 'own', '-',   '-',   '-',   '-',   '-',   '-',   'own', 'own', 'own', '-',   'own', '-'],
  pixelHoldPreview: ['own', 'own', '-',   '-',   '-',   '-',   '-',   '-',   'own', 'own', 'own', '-',   'own', '-'],
  releasePixelHold: ['own', 'own', '-',   '-',   '-',   '-',   '-',   '-',   'own', 'own', 'own', '-',   '-',   '-'],
  rejectPixelHold:  ['own', 'own', '-',   '-',   '-',   '-',   '-',   '-',   'own', 'own', 'own', '-',   '-',   '-'],
  retryJob:         ['own', '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-'],
  // Recall: original UIDs of studies with a result; hospital IT (and the physicist: IT's R), the RAIO
  // who decides on it, the privacy officer.
  recall:           ['own', '-',   '-',   '-',   '-',   '-',   'own', '-',   '-',   '-',   '-',   '-',   'own', 'own'],
  exportRecall:     ['own', '-',   '-',   '-',   '-',   '-',   'own', '-',   '-',   '-',   '-',   '-',   'own', 'own'],
  registeredResult: ['own', '-',   '-',   '-',   '-',   '-',   'own', '-',   '-',   '-',   '-',   '-',   'own', 'own'],
  // Two persons: the privacy officer asks; hospital IT or another privacy officer agrees.
  patientCode:      ['own', '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   'own'],
  erasePatient:     ['-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   'two'],
  // "Identified data on gateway (patient, study list)": original UIDs; the patient is another row.
  listStudies:      ['own', 'own', '-',   '-',   '-',   '-',   '-',   '-',   'own', 'own', 'own', '-',   'own', '-'  ],
  study:            ['own', 'own', '-',   '-',   '-',   '-',   '-',   '-',   'own', 'own', 'own', '-',   'own', '-'  ],
  jobTrace:         ['own', 'own', '-',   '-',   '-',   '-',   '-',   '-',   'own', 'own', 'own', '-',   'own', '-'  ],
  // "Identified data on gateway": hospital IT with a reason, and so the physicist (IT's R); radiologist;
  // the auditor the log only.
  openIdentity:     ['own', 'own', '-',   '-',   '-',   '-',   '-',   '-',   'own', 'own', 'own', '-',   'own', '-'],
  // "Linkage table / re-identify one study": W+A (two persons) of hospital IT.
  reidentify:       ['two', '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-'],
  listApprovals:    ['mine','-',   'all', '-',   '-',   'all', 'mine','-',   '-',   '-',   '-',   '-',   'mine','mine'],
  requestApproval:  ['own', '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-'],
  decideApproval:   ['own', '-',   'see', '-',   '-',   '-',   'see', '-',   '-',   '-',   '-',   '-',   'see', 'own'],
  endApproval:      ['own', '-',   'see', '-',   '-',   '-',   'see', '-',   '-',   '-',   '-',   '-',   'see', 'own'],
  // "privacy officer = auditor for own site plus VIP alerts".
  patientFlags:     ['-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   'own'],
  setPatientFlag:   ['-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   'own'],
  removePatientFlag:['-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   'own'],
  alerts:           ['-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   'own'],
  acknowledgeAlert: ['-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   'own'],
  patientExtract:   ['-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   '-',   'own'],
  // "Audit log": own site R, own acts, R (all) no delete, R (all) and export.
  searchAudit:      ['own', 'acts','all', 'acts','acts','all', 'own', '-',   'acts','acts','acts','-',   'own', 'own'],
  exportAudit:      ['-',   '-',   '-',   '-',   '-',   'all', '-',   '-',   '-',   '-',   '-',   '-',   '-',   'own'],
  auditAnchors:     ['own', 'acts','all', 'acts','acts','all', 'own', '-',   'acts','acts','acts','-',   'own', 'own'],
} as const satisfies Partial<Record<RouteId, Cells>>;

/** Routes that are the same for every role. */
const SAME_FOR_ALL = {
  ...{ session: 'any', events: 'any', stepUp: 'any', signOut: 'any' },
  ...{ openApi: 'public', protectedResource: 'public', health: 'public', metrics: 'public' },
  ...{ signIn: 'public', callback: 'public', backChannelLogout: 'public' },
} as const satisfies Partial<Record<RouteId, Right>>;

/** Every route must be in exactly one of the two: a new one does not compile without its row. */
const ROWS: Readonly<Record<RouteId, Cells | 'any' | 'public'>> = { ...MATRIX, ...SAME_FOR_ALL };

export function rightOf(route: RouteId, role: Role): Right {
  const row = ROWS[route];
  return typeof row === 'string' ? row : row[ROLES_IN_ORDER.indexOf(role)]!;
}
export const isPublic = (route: RouteId): boolean => ROWS[route] === 'public';
export const hasRow = (route: string): route is RouteId => Object.hasOwn(ROWS, route);

export type Where = 'own' | 'other' | 'none';
const NATIONAL: readonly Role[] = [
  ...(['central-operator', 'model-manager', 'vendor', 'auditor', 'procurement'] as const),
];

/** What an answer must be to somebody with the role who works there, at this hospital's gateway. */
export function expectedOf(right: Right, role: Role, where: Where): number {
  const isNational = NATIONAL.includes(role);
  switch (right) {
    case 'all':
    case 'any':
    case 'public':
      return 200;
    case 'own':
      return where === 'own' ? 200 : where === 'other' ? 404 : 403;
    case 'mine':
      return where === 'none' ? 403 : 200;
    case 'see':
      return where === 'own' || isNational ? 403 : where === 'other' ? 404 : 403;
    case 'acts':
      return 200;
    case 'two':
      return where === 'other' ? 404 : 403;
    case '-':
      return 403;
  }
}
