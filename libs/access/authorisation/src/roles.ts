/**
 * Roles: the columns of the access table, and the roles that inherit from one of them.
 * Decides the closed list of roles; a claim with another word is no role.
 * Invariant: an inheriting role has the cells of one column, except those it names itself.
 * Source: security specification 5.
 */
export const COLUMN_ROLES = [
  'hospital-it',
  'radiologist',
  'central-operator',
  'model-manager',
  'vendor',
  'auditor',
  'raio',
  'procurement',
] as const;
export type ColumnRole = (typeof COLUMN_ROLES)[number];

export const INHERITING_ROLES = [
  'radiographer',
  'resident',
  'physician-assistant',
  'referring-clinician',
  'clinical-physicist',
  'privacy-officer',
] as const;
export type InheritingRole = (typeof INHERITING_ROLES)[number];

export const ROLES = [...COLUMN_ROLES, ...INHERITING_ROLES] as const;
export type Role = (typeof ROLES)[number];

export const isRole = (value: unknown): value is Role =>
  (ROLES as readonly unknown[]).includes(value);

/** Roles of a hospital's own people: their rights end at their own sites, whatever the column. */
export const SITE_ROLES: readonly Role[] = [
  'hospital-it',
  'radiologist',
  'raio',
  ...INHERITING_ROLES,
];
