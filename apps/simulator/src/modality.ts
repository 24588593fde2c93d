/**
 * Modalities: they send each instance until it is accepted, and some of them send it again after.
 * Decides when: the instances of a later revision come after the study has been quiet, so that they
 * make a revision of their own, also when the first one is still under way.
 * Invariant: an instance that was answered with anything but Success is sent again.
 * Source: reliability specification P0, 3 (duplicated sends, late instances).
 */
import type { Instance, Study } from './hospital.js';
import type { Simulated, Site } from './simulation.js';
import { QUIET_MS } from './sim-gateway.js';

const RETRY_MS_MAX = 8_000;
/** No answer for so long: the association is gone. @unit ms */
const ANSWER_MS_MAX = 20_000;

export function sendStudies(
  simulated: Simulated,
  sendAtMs: ((index: number) => number) | undefined,
): void {
  const { random, plan } = simulated;
  for (const site of simulated.sites) {
    for (const [index, study] of site.studies.entries()) {
      // Not all within the troubles, or a study would never meet their end.
      const lastMs = Math.max(10_000, plan.untilMs * 0.6);
      let atMs = sendAtMs?.(index) ?? random.int(0, lastMs);
      for (const instances of study.revisions) {
        for (const instance of instances) {
          simulated.unsent += 1;
          send(simulated, site, { study, instance }, atMs + random.int(0, 1_000));
        }
        atMs += 2 * QUIET_MS + random.int(2_000, 90_000);
      }
    }
  }
}

export interface Sent {
  readonly study: Study;
  readonly instance: Instance;
}

export function send(simulated: Simulated, site: Site, sent: Sent, inMs: number): void {
  const { world, random } = simulated;
  let isAccepted = false;
  const attempt = (): void => {
    if (isAccepted) return;
    site.pacs.knows(sent.study);
    const life = site.gateway.life;
    let isAnswered = false;
    const again = (): void => {
      if (isAnswered || isAccepted) return;
      isAnswered = true;
      world.in(random.int(200, RETRY_MS_MAX), undefined, attempt);
    };
    if (!life) return again();
    world.in(ANSWER_MS_MAX, undefined, again);
    // In the life of the gateway: what it does for this is its own doing.
    world.in(0, life, () => {
      site.gateway.receive(sent.instance).then(() => {
        if (isAccepted) return;
        isAccepted = true;
        simulated.unsent -= 1;
        if (random.chance(0.1)) {
          world.in(random.int(0, 60_000), undefined, () => repeat(simulated, site, sent));
        }
      }, again);
    });
  };
  world.in(inMs, undefined, attempt);
}

/** The same bytes again: no new work. */
function repeat({ world }: Simulated, site: Site, { instance }: Sent): void {
  const life = site.gateway.life;
  if (life) world.in(0, life, () => void site.gateway.receive(instance).catch(() => undefined));
}
