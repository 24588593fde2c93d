/**
 * What each role may do at the hub, route by route: written by hand from security specification 5,
 * beside the code's own table and not from it. A difference between the two is a finding.
 * The roles that inherit are written out as the text under the table says.
 */
import type { Role } from '@aifi/access-authorisation';
import type { hubRoutes, signInRoutes } from '@aifi/contracts-rest';

/**
 * all: at every site. own: at the own sites; another site's object does not exist, of a list the
 * own part is seen, and without a site nothing. two: as all, once a second person has agreed.
 * see: the object is seen and this is refused: 403 at the own site, and elsewhere it does not
 * exist. acts: the own acts only. no: refused. any: whoever is signed in. public: everybody.
 */
const RIGHTS = { A: 'all', O: 'own', T: 'two', S: 'see', X: 'acts', '-': 'no' } as const;
export type Right = (typeof RIGHTS)[keyof typeof RIGHTS] | 'any' | 'public';
export type RouteId = keyof typeof hubRoutes | keyof typeof signInRoutes;

const ROLES_IN_ORDER: readonly Role[] = [
  ...(['hospital-it', 'radiologist', 'central-operator', 'model-manager', 'vendor'] as const),
  ...(['auditor', 'raio', 'procurement', 'radiographer', 'resident'] as const),
  ...(['physician-assistant', 'referring-clinician', 'clinical-physicist'] as const),
  'privacy-officer',
];

// prettier-ignore
const MATRIX = {
  //                IT   rad  oper mmgr vend aud  raio proc rgr  res  pa   ref  phys priv
  // "R health" of the row of gateways; a hospital's own IT, RAIO, physicist and privacy officer.
  status:          'O    -    A    -    -    A    O    -    -    -    -    -    O    O',
  sites:           'O    -    A    -    -    A    O    -    -    -    -    -    O    O',
  siteActivity:    'O    -    A    -    -    A    O    -    -    -    -    -    O    O',
  // "Enable model at a site" R.
  models:          'O    O    A    A    -    A    O    -    O    O    O    -    O    O',
  // "Kill switch" of the operator; a hospital's people see what is stopped for them.
  productStops:    'O    O    A    A    -    A    O    -    O    O    O    -    O    O',
  stopProduct:     '-    -    A    -    -    -    -    -    -    -    -    -    -    -',
  resumeProduct:   '-    -    A    -    -    -    -    -    -    -    -    -    -    -',
  // Results of a lost gateway to its successor: once a second person agrees.
  takeOverGateway: '-    -    T    -    -    -    -    -    -    -    -    -    -    -',
  // "Gateway enrolment": the operator's; the auditor sees. A foreign certificate: two persons.
  certificates:       '-    -    A    -    -    A    -    -    -    -    -    -    -    -',
  authority:          '-    -    A    -    -    A    -    -    -    -    -    -    -    -',
  inspectCertificate: '-    -    A    -    -    A    -    -    -    -    -    -    -    -',
  issueJoinToken:     '-    -    A    -    -    -    -    -    -    -    -    -    -    -',
  revokeCertificate:  '-    -    A    -    -    -    -    -    -    -    -    -    -    -',
  rotateAuthority:    '-    -    A    -    -    -    -    -    -    -    -    -    -    -',
  createBinding:      '-    -    T    -    -    -    -    -    -    -    -    -    -    -',
  endBinding:         '-    -    A    -    -    -    -    -    -    -    -    -    -    -',
  // Hops without results or pixels; nothing that the row of results refuses.
  listStudies:     'O    O    A    -    -    A    O    -    O    O    O    -    O    O',
  study:           'O    O    A    -    -    A    O    -    O    O    O    -    O    O',
  job:             'O    O    A    -    -    A    O    -    O    O    O    -    O    O',
  // Break-glass: the operator's alone, once a second person agrees.
  studyInstances:  '-    -    T    -    -    -    -    -    -    -    -    -    -    -',
  instancePreview: '-    -    T    -    -    -    -    -    -    -    -    -    -    -',
  // The second person of a break-glass is another operator or the site's RAIO.
  listApprovals:   'O    -    A    -    -    A    O    -    -    -    -    -    O    O',
  requestApproval: '-    -    A    -    -    -    -    -    -    -    -    -    -    -',
  decideApproval:  'S    -    A    -    -    -    O    -    -    -    -    -    S    S',
  endApproval:     'S    -    A    -    -    -    O    -    -    -    -    -    S    S',
  searchAudit:     'O    X    A    X    X    A    O    -    X    X    X    -    O    O',
  exportAudit:     '-    -    -    -    -    A    -    -    -    -    -    -    -    O',
  auditAnchors:    'O    -    A    -    -    A    O    -    -    -    -    -    O    O',
} as const satisfies Partial<Record<RouteId, string>>;

/** Routes that are the same for every role. */
const SAME_FOR_ALL = {
  ...{ session: 'any', events: 'any', stepUp: 'any', signOut: 'any' },
  ...{ openApi: 'public', protectedResource: 'public', health: 'public', metrics: 'public' },
  ...{ signIn: 'public', callback: 'public', backChannelLogout: 'public' },
} as const satisfies Partial<Record<RouteId, Right>>;

/** Every route must be in exactly one of the two: a new one does not compile without its row. */
const ROWS: Readonly<Record<RouteId, string>> = { ...MATRIX, ...SAME_FOR_ALL };

export function rightOf(route: RouteId, role: Role): Right {
  const row = ROWS[route];
  if (row === 'any' || row === 'public') return row;
  const cells = row.split(/ +/);
  const letter = cells[ROLES_IN_ORDER.indexOf(role)];
  if (cells.length !== ROLES_IN_ORDER.length || !letter || !(letter in RIGHTS)) {
    throw new Error(`the row of ${route} has no cell for ${role}`);
  }
  return RIGHTS[letter as keyof typeof RIGHTS];
}
export const isPublic = (route: RouteId): boolean => ROWS[route] === 'public';
export const hasRow = (route: string): route is RouteId => Object.hasOwn(ROWS, route);

export type Where = 'own' | 'other' | 'none';
/** What an answer must be to somebody who works there, about an object of the own site. */
export function expectedOf(right: Right, where: Where, kind: 'object' | 'list'): number {
  switch (right) {
    case 'all':
    case 'any':
    case 'public':
      return 200;
    case 'own':
      if (where === 'other') return kind === 'object' ? 404 : 200;
      return where === 'own' ? 200 : 403;
    case 'see':
      return where === 'other' ? 404 : 403;
    case 'acts':
      return kind === 'object' ? 404 : 200;
    case 'two':
    case 'no':
      return 403;
  }
}
