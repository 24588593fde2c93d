/**
 * Bugs: faults that are planted on purpose, to show that the simulator finds what it looks for.
 * Decides their names; each stands where the guard or the rule that it breaks is asked, and is one
 * line away from the code that is right. None is ever active unless it is named.
 * Source: reliability specification 1 (C1 to C7), 2 (P0 to P6), T-MIS-5.
 */
export const BUGS = {
  'c1-site-of-last-caller': 'the hub takes the site from the call before',
  'c2-outcome-to-another-site': 'an outcome goes to whoever asks first',
  'c3-key-without-site': 'rows of the hub are found by their job alone',
  'c4-envelope-not-opened': 'the gateway believes an envelope of another job',
  'c5-linkage-not-compared': 'the gateway believes a linkage row of another job',
  'c6-input-not-compared': 'the gateway believes a result of other bytes than it sent',
  'c7-no-last-look': 'the gateway does not ask the PACS who the patient is',
  'p0-success-before-durable': 'Success before the file and the row are durable',
  'p1-bytes-before-linkage': 'bytes leave before the linkage is durable',
  'p2-ack-before-durable': 'the hub acknowledges an object before it is durable',
  'p2-deleted-before-study-ack': 'the pseudonymised copy goes before the StudyAck',
  'p2-spool-not-resumed': 'a gateway that starts again forgets what it had spooled',
  'p3-no-fencing': 'a worker that lost its lease still writes',
  'p5-cursor-skips': 'an outcome counts as acknowledged when it was sent',
  'p5-ack-before-durable': 'the gateway acknowledges an outcome before it is durable',
  'p5-revision-order-ignored': 'an older result follows a newer one',
  'p6-duplicate-on-0111': 'a result that the PACS has already is sent under a new UID',
} as const;
export type Bug = keyof typeof BUGS;

export function isBug(name: string): name is Bug {
  return Object.hasOwn(BUGS, name);
}
