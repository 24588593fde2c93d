/**
 * Metrics of the room for uploads: what is in flight by lane, and by site what is in flight and
 * waits. Decides the labels: lanes and names of sites, of which there are few; never a study.
 * Source: governance specification 4.7 (metric labels); hazard H14.
 */
import { Gauge, type Registry } from '@aifi/shared-observability';
import type { FairAdmission } from './fair-admission.js';

export function registerAdmissionMetrics(registry: Registry, admission: FairAdmission): void {
  const registers = [registry];
  const inFlight: Gauge = new Gauge({
    name: 'aifi_ingest_objects_count',
    help: 'Objects on their way to the store, by lane',
    labelNames: ['lane'],
    registers,
    collect: () => {
      const { acute, routine } = admission.use().lanes;
      inFlight.set({ lane: 'acute' }, acute.objects);
      inFlight.set({ lane: 'routine' }, routine.objects);
    },
  });
  const bytes: Gauge = new Gauge({
    name: 'aifi_ingest_objects_bytes',
    help: 'Declared sizes of the objects on their way to the store, by lane',
    labelNames: ['lane'],
    registers,
    collect: () => {
      const { acute, routine } = admission.use().lanes;
      bytes.set({ lane: 'acute' }, acute.bytes);
      bytes.set({ lane: 'routine' }, routine.bytes);
    },
  });
  const bySite: Gauge = new Gauge({
    name: 'aifi_ingest_site_objects_count',
    help: 'Objects of a site that are on their way to the store, or wait for room',
    labelNames: ['site', 'state'],
    registers,
    collect: () => {
      bySite.reset();
      for (const [site, use] of admission.use().sites) {
        bySite.set({ site, state: 'in-flight' }, use.inFlight.objects);
        bySite.set({ site, state: 'waiting' }, use.waiting);
      }
    },
  });
}
