/**
 * The access table: object x role, as reviewed. Read it beside security specification 5.
 * Decides every grant of the platform; what is not in a cell is refused.
 * Letters: R see, W change, A approve as the second person. Scopes: `own` the person's own sites,
 * `all` every site, `acts` only the person's own acts, `counts` aggregates without results.
 * Invariant: a row has a cell for every column, so a new column or row cannot be forgotten.
 */
import type { ColumnRole, InheritingRole, Role } from './roles.js';

export type Letter = 'R' | 'W' | 'A';
export type Scope = 'own' | 'all' | 'acts' | 'counts';
export interface Grant {
  readonly letters: readonly Letter[];
  readonly scope: Scope;
  /** Each use needs a reason of the person. */
  readonly reason?: boolean;
}
/** Null: refused. */
export type Cell = Grant | null;

const no: Cell = null;
const own = (letters: string): Cell => ({ letters: [...letters] as Letter[], scope: 'own' });
const all = (letters: string): Cell => ({ letters: [...letters] as Letter[], scope: 'all' });
const ownWithReason = (letters: string): Cell => ({ ...own(letters)!, reason: true });
const acts = (letters: string): Cell => ({ letters: [...letters] as Letter[], scope: 'acts' });
const counts: Cell = { letters: ['R'], scope: 'counts' };

export const ACCESS_OBJECTS = [
  'identified-data',
  'hospital-studies',
  'linkage',
  'hub-pixels',
  'results-content',
  'study-trace',
  'gateway-health',
  'gateway-config',
  'dead-letters',
  'missed-studies',
  'retrievals',
  'product-requests',
  'procedure-catalogue',
  'objections',
  'pixel-holds',
  'stopped-jobs',
  'results-register',
  'vault-erasure',
  'models',
  'approvals',
  'patient-flags',
  'privacy-alerts',
  'audit-log',
  'audit-export',
  'patient-extract',
  'enrolment',
  'kill-switches',
] as const;
export type AccessObject = (typeof ACCESS_OBJECTS)[number];

/** The order of the cells of a row. */
const COLUMNS = [
  'hospital-it',
  'radiologist',
  'central-operator',
  'model-manager',
  'vendor',
  'auditor',
  'raio',
  'procurement',
] as const satisfies readonly ColumnRole[];
type Row = readonly [Cell, Cell, Cell, Cell, Cell, Cell, Cell, Cell];

// Cells of the table, short: o own sites, a all sites; `ask` own sites with a reason.
const [oR, oW, oA, oRW, oRA, oWA] = ['R', 'W', 'A', 'RW', 'RA', 'WA'].map(own) as Six;
const [aR, aRW, aWA, aRWA] = ['R', 'RW', 'WA', 'RWA'].map(all) as [Cell, Cell, Cell, Cell];
const [__, ask, mine, sum] = [no, ownWithReason('R'), acts('R'), counts];
type Six = [Cell, Cell, Cell, Cell, Cell, Cell];

// prettier-ignore
const ROWS: Record<AccessObject, Row> = {
  //                     IT    rad   oper  mmgr  vend  audit raio  procurement
  'identified-data':    [ask,  oR,   __,   __,   __,   __,   __,   __],
  // The gateway's own list: original UIDs, patients only for who has the row above.
  'hospital-studies':   [oR,   oR,   __,   __,   __,   __,   __,   __],
  // Two persons: who asks has W, who agrees has A.
  'linkage':            [oWA,  __,   __,   __,   __,   __,   __,   __],
  // Break-glass: an operator asks, another operator or the site's RAIO agrees, one hour.
  'hub-pixels':         [__,   __,   aWA,  __,   __,   __,   oA,   __],
  'results-content':    [oR,   oRW,  sum,  sum,  __,   __,   oR,   __],
  // Hops of pseudonymous studies: times, attempts, digests, states; no result and no pixel.
  'study-trace':        [oR,   oR,   aR,   __,   __,   aR,   oR,   __],
  'gateway-health':     [oR,   __,   aR,   __,   __,   aR,   oR,   __],
  'gateway-config':     [oW,   __,   aR,   __,   __,   aR,   oR,   __],
  // What the PACS did not take. Without hospital-studies: no UID.
  'dead-letters':       [oRW,  __,   __,   __,   __,   aR,   __,   __],
  // What the PACS has and the gateway has not: UIDs, so only for who has hospital-studies.
  'missed-studies':     [oRW,  oR,   __,   __,   __,   __,   __,   __],
  // Studies fetched from the PACS, by UID: who reads images may ask for one.
  'retrievals':         [oRW,  oRW,  __,   __,   __,   __,   __,   __],
  // Products asked for by name, on a study by UID: who reads images may ask for one.
  'product-requests':   [oW,   oW,   __,   __,   __,   __,   __,   __],
  // What the hospital's procedure codes mean to the rules: no patient.
  'procedure-catalogue':[oRW, oR,  aR,   __,   __,   aR,   oR,   __],
  // Which patients object, by number: no list of them. Who is with a patient sees it.
  'objections':         [oRW, oR,   __,   __,   __,   __,   __,   __],
  // Images that wait for a person. Looking at them is identified-data: who they are of may show.
  'pixel-holds':        [oRW,  oRW,  __,   __,   __,   aR,   __,   __],
  'stopped-jobs':       [oW,   __,   __,   __,   __,   __,   __,   __],
  // Which studies have a result of a product: the hospital's own UIDs, for a recall.
  'results-register':   [oR,   __,   __,   __,   __,   __,   oR,   __],
  // Two persons: the privacy officer asks, hospital IT or another privacy officer agrees.
  'vault-erasure':      [oA,   __,   __,   __,   __,   __,   __,   __],
  'models':             [oRW,  oR,   aR,   aRW,  __,   aR,   oRA,  __],
  'approvals':          [oR,   __,   aR,   __,   __,   aR,   oR,   __],
  'patient-flags':      [__,   __,   __,   __,   __,   __,   __,   __],
  'privacy-alerts':     [__,   __,   __,   __,   __,   __,   __,   __],
  'audit-log':          [oR,   mine, aR,   mine, mine, aR,   oR,   __],
  'audit-export':       [__,   __,   __,   __,   __,   aR,   __,   __],
  'patient-extract':    [__,   __,   __,   __,   __,   __,   __,   __],
  // Tokens, certificates and authorities of the link. An operator asks for a binding of a foreign
  // certificate, another one agrees.
  'enrolment':          [__,   __,   aRWA, __,   __,   aR,   __,   __],
  // Which products are stopped; who resumes one is another person than who stopped it.
  'kill-switches':      [oR,   oR,   aRW,  aR,   __,   aR,   oR,   __],
};

interface Inheritance {
  readonly from: ColumnRole;
  readonly except: Partial<Record<AccessObject, Cell>>;
}
/** The roles that inherit; a hospital's auditor by birth is limited to the own site. */
export const INHERITANCE: Record<InheritingRole, Inheritance> = {
  radiographer: { from: 'radiologist', except: { 'results-content': own('R') } },
  resident: { from: 'radiologist', except: {} },
  'physician-assistant': { from: 'radiologist', except: {} },
  // Sees released results of own patients, in the PACS: nothing of these pages is about those.
  'referring-clinician': {
    from: 'radiologist',
    except: {
      'identified-data': no,
      'hospital-studies': no,
      'results-content': no,
      'study-trace': no,
      'missed-studies': no,
      retrievals: no,
      'product-requests': no,
      'procedure-catalogue': no,
      objections: no,
      'pixel-holds': no,
      'kill-switches': no,
      models: no,
      'audit-log': no,
    },
  },
  'clinical-physicist': {
    from: 'hospital-it',
    except: {
      linkage: no,
      'gateway-config': own('R'),
      'dead-letters': own('R'),
      'missed-studies': own('R'),
      retrievals: own('R'),
      'product-requests': no,
      'procedure-catalogue': own('R'),
      objections: no,
      'pixel-holds': own('R'),
      'stopped-jobs': no,
      'vault-erasure': no,
      models: own('R'),
    },
  },
  'privacy-officer': {
    from: 'auditor',
    except: {
      linkage: own('A'),
      'study-trace': own('R'),
      'gateway-health': own('R'),
      'gateway-config': own('R'),
      'dead-letters': own('R'),
      'procedure-catalogue': own('R'),
      objections: own('RW'),
      'pixel-holds': own('R'),
      'results-register': own('R'),
      'vault-erasure': own('WA'),
      models: own('R'),
      approvals: own('R'),
      'patient-flags': own('RW'),
      'privacy-alerts': own('RW'),
      'audit-log': own('R'),
      'audit-export': own('R'),
      'patient-extract': own('R'),
      enrolment: no,
      'kill-switches': own('R'),
    },
  },
};

/** The cell of the table for any role. */
export function cellOf(object: AccessObject, role: Role): Cell {
  const inheritance = (INHERITANCE as Partial<Record<Role, Inheritance>>)[role];
  if (inheritance && object in inheritance.except) return inheritance.except[object] ?? null;
  const column = inheritance?.from ?? (role as ColumnRole);
  return ROWS[object][COLUMNS.indexOf(column)] ?? null;
}
