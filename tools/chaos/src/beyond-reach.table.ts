/**
 * Crash points that no process of a chaos run passes: why, and which suite goes that way instead.
 * Decides what the long run does not have to hit, so that its exit code says what was hit.
 * Invariants: a point that is not here must be hit; each name here is a point of the code and each
 * suite is there, which a spec compares. Source: reliability specification 3 (named points).
 */
export interface BeyondReach {
  readonly points: readonly string[];
  readonly reason: string;
  /** Suite that goes through these points, by its path in the checkout. */
  readonly suite: string;
}

const both = (start: string, end: string): string[] => [
  `${start}.before-${end}`,
  `${start}.after-${end}`,
];

export const BEYOND_REACH: readonly BeyondReach[] = [
  {
    points: both('gateway.backup', 'vault'),
    reason: 'a restore asks for an empty gateway; those of a run keep what they have',
    suite: 'apps/e2e/src/box-loss.e2e.ts',
  },
  {
    points: [
      'gateway.link.before-join-sent',
      'gateway.link.after-join-answered',
      ...both('gateway.link', 'join-written'),
    ],
    reason: 'gateways of a run have certificate files and never join',
    suite: 'libs/gateway/link/src/kill-drill.integration.spec.ts',
  },
  {
    points: [
      'gateway.link.before-renewal-sent',
      'gateway.link.after-renewal-answered',
      ...both('gateway.link', 'renewal-written'),
      ...both('gateway.link', 'trust-written'),
    ],
    reason: 'certificate files are renewed by who put them there; a renewal is due after weeks',
    suite: 'libs/gateway/link/src/kill-drill.integration.spec.ts',
  },
  {
    points: [
      ...both('hub.enrolment', 'authority-key'),
      ...both('hub.enrolment', 'join-recorded'),
      ...both('hub.enrolment', 'renewal-recorded'),
      'hub.enrolment.before-old-key-removed',
    ],
    reason: 'nobody joins, renews or rotates the authority',
    suite: 'libs/hub/enrolment/src/kill-drill.integration.spec.ts',
  },
  {
    points: [...both('gateway.retrieve', 'begin'), ...both('gateway.retrieve', 'end')],
    reason: 'modalities of a run send everything themselves: nothing is fetched',
    suite: 'libs/gateway/retrieve/src/kill-drill.integration.spec.ts',
  },
  {
    points: [...both('gateway.messages', 'identity'), ...both('gateway.messages', 'commit')],
    reason: 'no system of a run sends orders or what becomes of patients',
    suite: 'libs/gateway/hl7/src/kill-drill.integration.spec.ts',
  },
  {
    points: both('gateway.setup', 'settings'),
    reason: 'nobody changes settings on a page of a gateway of a run',
    suite: 'libs/gateway/setup/src/kill-drill.integration.spec.ts',
  },
  {
    points: [
      ...both('gateway.consent', 'objection'),
      ...both('gateway.consent', 'list-slice'),
      ...both('gateway.consent', 'jobs-end'),
    ],
    reason: 'no patient of a run objects: its study would have no result',
    suite: 'libs/gateway/consent/src/kill-drill.integration.spec.ts',
  },
  {
    points: [...both('gateway.catalogue', 'version'), ...both('gateway.catalogue', 'rollback')],
    reason: 'nobody changes the procedure catalogue of a run',
    suite: 'libs/gateway/catalogue/src/kill-drill.integration.spec.ts',
  },
  {
    points: both('gateway.reconcile', 'damage'),
    reason: 'no byte changes on the disk of a gateway: its study could not be delivered',
    suite: 'libs/gateway/reconcile/src/kill-drill.integration.spec.ts',
  },
  {
    points: both('hub.digests', 'damage'),
    reason: 'no byte changes on the disk of the hub: its study could not be delivered',
    suite: 'apps/hub/src/kill-drill.integration.spec.ts',
  },
  {
    points: ['hub.outcome.owed-again'],
    reason: 'no gateway of a run is restored: all of them say what they have',
    suite: 'libs/hub/downlink/src/postgres-outcome-store.integration.spec.ts',
  },
  {
    points: ['hub.retention.put-back'],
    reason: 'needs an upload of the same object between two looks a moment apart',
    suite: 'apps/hub/src/kill-drill.integration.spec.ts',
  },
  {
    points: [...both('gateway.kill-hold', 'hold'), ...both('gateway.kill-hold', 'resume')],
    reason: 'nobody stops a product: what is withheld is no result in the PACS',
    suite: 'libs/gateway/deliver/src/kill-drill.integration.spec.ts',
  },
  {
    points: both('hub.stop', 'commit'),
    reason: 'nobody stops a product: its jobs end without a result',
    suite: 'libs/hub/route/src/kill-drill.integration.spec.ts',
  },
  {
    points: ['gateway.pseudonymise.before-poison'],
    reason: 'an image that ends its parser three times over is held for a person',
    suite: 'libs/gateway/pseudonymise/src/kill-drill.integration.spec.ts',
  },
  {
    points: [...both('gateway.uplink', 'refused'), ...both('gateway.uplink', 'select-again')],
    reason: 'the hub refuses no job for good and its rules stay as they are',
    suite: 'libs/gateway/uplink/src/kill-drill.integration.spec.ts',
  },
  {
    points: both('gateway.select', 'answer'),
    reason: 'nobody asks for a product by name after its study was selected',
    suite: 'libs/gateway/select/src/kill-drill.integration.spec.ts',
  },
  {
    points: [...both('hub.objects', 'keep'), 'hub.objects.beginning-synced'],
    reason: 'images of a run are smaller than a beginning that is kept (1 MiB)',
    suite: 'libs/hub/object-store/src/kill-drill.integration.spec.ts',
  },
  {
    points: [...both('gateway.assemble', 'note'), ...both('gateway.assemble', 'early')],
    reason: 'nobody rejects an image, and studies of a run are whole before a product would start',
    suite: 'libs/gateway/assemble/src/kill-drill.integration.spec.ts',
  },
  {
    points: [
      'gateway.folder-intake.after-file',
      'gateway.folder-intake.before-report',
      'gateway.folder-intake.after-report',
      'gateway.folder-intake.after-batch-moved',
    ],
    reason: 'images of a run come by association; nobody puts files into a folder',
    suite: 'apps/gateway/src/folder-batches.integration.spec.ts',
  },
];

export const pointsBeyondReach = (): string[] => BEYOND_REACH.flatMap(({ points }) => points);
