/**
 * All migrations, oldest first. The list is written out, so that the same classes run from source
 * and compiled. Invariant: a released migration is never edited. Source: conventions "Database".
 */
import { CreateHubTables1795200879066 } from './1795200879066-CreateHubTables.js';
import { AddLastSeenAndFault1795204733453 } from './1795204733453-AddLastSeenAndFault.js';
import { AddStudyPseudonym1795253832389 } from './1795253832389-AddStudyPseudonym.js';
import { CreateAccessTables1795253833691 } from './1795253833691-CreateAccessTables.js';
import { CreateEnrolment1795298400001 } from './1795298400001-CreateEnrolment.js';
import { AddControlState1795298400003 } from './1795298400003-AddControlState.js';
import { AddRetention1795298400004 } from './1795298400004-AddRetention.js';

export const HUB_MIGRATIONS = [
  CreateHubTables1795200879066,
  AddLastSeenAndFault1795204733453,
  AddStudyPseudonym1795253832389,
  CreateAccessTables1795253833691,
  CreateEnrolment1795298400001,
  AddControlState1795298400003,
  AddRetention1795298400004,
];
