/**
 * Set-up of a gateway over REST: checks against the PACS and the settings that the wizard changes.
 * Decides what can be changed over the page: where the PACS is, how both call each other, who may
 * send, and storage commitment; all else is the configuration file's.
 * Invariants: a test object is only sent after an explicit yes; what is planned changes nothing.
 * Source: conventions "Remote settings: plan, validate, apply, roll back"; docs/runbooks/set-up.md.
 */
import { z } from 'zod';
import { epochMsSchema } from '@aifi/contracts-manifests';
import { setupFindingSchema } from './setup-finding.js';

/** In the order in which they are made. */
export const SETUP_CHECKS = ['echo', 'store', 'find', 'commitment', 'inbound'] as const;
export type SetupCheck = (typeof SETUP_CHECKS)[number];
/** advice: it works, and something is worth knowing. waiting: the other side has not come yet. */
export const SETUP_CHECK_STATES = ['passed', 'advice', 'waiting', 'failed', 'not-run'] as const;
export type SetupCheckState = (typeof SETUP_CHECK_STATES)[number];

/** As PS3.5 6.2 (AE) and the configuration have it. */
const aeTitle = z.string().regex(/^(?! )[\x20-\x5b\x5d-\x7e]{1,16}(?<! )$/, 'not an AE title');
const hostName = z
  .string()
  .trim()
  .max(253)
  .regex(/^[A-Za-z0-9]([A-Za-z0-9.:-]*[A-Za-z0-9])?$/, 'not a host name or address');

export const setupPacsSchema = z.strictObject({
  host: hostName,
  port: z.int().min(1).max(65535),
  calledAeTitle: aeTitle,
  callingAeTitle: aeTitle,
  /** Results are proved by storage commitment; else by C-FIND. */
  commitment: z.boolean(),
});
export type SetupPacs = z.infer<typeof setupPacsSchema>;
export const setupCallerSchema = z.strictObject({
  aeTitle,
  /** Address it calls from; it comes without TLS. */
  host: z.union([z.ipv4(), z.ipv6()]),
});
export type SetupCaller = z.infer<typeof setupCallerSchema>;
/** What the wizard lays over the configuration file. Empty: nothing. */
export const setupSettingsSchema = z.strictObject({
  pacs: setupPacsSchema.optional(),
  /** Added to those of the file; one of the same AE title is replaced. */
  callers: z.array(setupCallerSchema).max(50).optional(),
});
export type SetupSettings = z.infer<typeof setupSettingsSchema>;

const changeSchema = z.object({ setting: z.string(), from: z.string(), to: z.string() });
export const setupPlanSchema = z.object({
  changes: z.array(changeSchema),
  /** What the configuration's own rules say against it; empty: it can be applied. */
  problems: z.array(z.object({ setting: z.string(), message: z.string() })),
});
export type SetupPlan = z.infer<typeof setupPlanSchema>;

export const setupViewSchema = z.object({
  /** In force now, from file and overlay together. */
  pacs: setupPacsSchema,
  callers: z.array(z.object({ aeTitle, host: z.string().nullable(), isOverTls: z.boolean() })),
  listener: z.object({ aeTitle, host: z.string(), port: z.int().nullable() }),
  /** Results go by DICOMweb: C-STORE is not the way that they take. */
  isDicomWeb: z.boolean(),
  /** Objects of ours go over an encrypted connection. */
  isTls: z.boolean(),
  overlay: z.object({
    /** The wizard's settings that are in force; null: the file alone. */
    current: setupSettingsSchema.nullable(),
    appliedAtMs: epochMsSchema.nullable(),
    /** The file alone, or the settings before: what undoing would bring. */
    canUndo: z.boolean(),
    /** Settings with which the gateway did not start; null: none. */
    rolledBackAtMs: epochMsSchema.nullable(),
    /** A restart with other settings is under way. */
    isRestarting: z.boolean(),
  }),
  isChecking: z.boolean(),
  checks: z.array(
    z.object({
      name: z.enum(SETUP_CHECKS),
      state: z.enum(SETUP_CHECK_STATES),
      findings: z.array(setupFindingSchema),
      /** The PACS that was asked, as title at host:port; null: not run. */
      target: z.string().nullable(),
      atMs: epochMsSchema.nullable(),
      durationMs: z.int().nonnegative().nullable(),
    }),
  ),
});
export type SetupView = z.infer<typeof setupViewSchema>;

export const setupRoutes = {
  setup: {
    method: 'GET',
    path: '/api/v1/setup',
    summary: 'Settings of PACS and listener, and what the last checks found',
    response: setupViewSchema,
  },
  runSetupChecks: {
    method: 'POST',
    path: '/api/v1/setup/checks',
    summary: 'Check the PACS; answers when the checks have begun',
    body: z.strictObject({
      checks: z.array(z.enum(SETUP_CHECKS)).min(1).max(SETUP_CHECKS.length),
      /** Two small objects of the synthetic patient AIFI^TEST may be stored in the PACS. */
      mayStore: z.boolean().default(false),
      /** Another PACS than the one in force: to be tried before it is applied. */
      pacs: setupPacsSchema.optional(),
    }),
    response: setupViewSchema,
  },
  stopSetupChecks: {
    method: 'POST',
    path: '/api/v1/setup/checks/stop',
    summary: 'Stop the checks that run',
    body: z.strictObject({}),
    response: setupViewSchema,
  },
  planSetup: {
    method: 'POST',
    path: '/api/v1/setup/plan',
    summary: 'What other settings would change; changes nothing',
    body: z.strictObject({ settings: setupSettingsSchema }),
    response: setupPlanSchema,
  },
  applySetup: {
    method: 'POST',
    path: '/api/v1/setup/settings',
    summary: 'Put other settings in force; the gateway restarts its parts',
    body: z.strictObject({ settings: setupSettingsSchema }),
    response: setupViewSchema,
  },
  undoSetup: {
    method: 'POST',
    path: '/api/v1/setup/settings/undo',
    summary: 'Back to the settings before; the gateway restarts its parts',
    body: z.strictObject({}),
    response: setupViewSchema,
  },
} as const;
