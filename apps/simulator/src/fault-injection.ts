/**
 * Fault injection: the faults of a plan at moments from the seed.
 * Decides when processes die, lines and archives go away and come back, disks and clocks go wrong,
 * and patients become others. Invariant: each fault is over when the plan says so.
 * Source: reliability specification 3 (fault-injection matrix), C5, C7 (merge in flight).
 */
import { applyIdentityEvent } from '@aifi/gateway-vault';
import { patientOf, type Patient, type Study } from './hospital.js';
import { EPOCH_MS } from './sim-clock.js';
import type { DiskFault } from './sim-disk.js';
import { endGateway, endHub, type Simulated, type Site } from './simulation.js';

export function injectFaults(simulated: Simulated): void {
  const { world, random, plan, sites } = simulated;
  const sometime = (happen: () => void): void => {
    world.in(random.int(0, plan.untilMs), undefined, happen);
  };
  const times = (count: number, happen: () => void): void => {
    for (let time = 0; time < count; time += 1) sometime(happen);
  };
  times(plan.deaths, () => {
    endGateway(simulated, random.pick(sites).gateway, plan.powerCuts ? 'power' : 'kill');
  });
  times(plan.hubDeaths, () => endHub(simulated));
  times(plan.outages, () => {
    const { link } = random.pick(sites);
    link.set(random.pick(['down', 'silent'] as const));
    lasting(simulated, 120_000, () => link.set('up'));
  });
  times(plan.pacsOutages, () => {
    const { pacs } = random.pick(sites);
    pacs.isDown = true;
    lasting(simulated, 120_000, () => (pacs.isDown = false));
  });
  times(plan.diskFaults, () => {
    const { faults } = random.pick(sites).gateway.disk;
    const fault: DiskFault = random.pick(['full', 'read', 'sync'] as const);
    world.note(`a disk is ${fault}`);
    faults.add(fault);
    lasting(simulated, 30_000, () => faults.delete(fault));
  });
  times(plan.clockJumps, () => {
    const { gateway } = random.pick(sites);
    gateway.skewMs = random.pick([-3_600_000, -70_000, 70_000, 3_600_000]);
    world.note(`the clock of ${gateway.parts.siteId} is wrong by ${gateway.skewMs / 1_000} s`);
    lasting(simulated, 120_000, () => (gateway.skewMs = 0));
  });
  for (const site of sites) {
    for (const study of site.studies) {
      if (random.chance(plan.identityChanges))
        sometime(() => changePatient(simulated, site, study));
    }
  }
}

/** It is over after a while, and in any case when the plan says so. */
function lasting({ world, random, plan }: Simulated, mostMs: number, end: () => void): void {
  const leftMs = Math.max(0, plan.untilMs - world.nowMs);
  world.in(Math.min(leftMs, random.int(1_000, mostMs)), undefined, end);
}

/** The archive shows another patient: after a word of the administration, or without any. */
function changePatient(simulated: Simulated, { gateway, pacs }: Site, study: Study): void {
  const { world, random, model } = simulated;
  const { siteId, studyUid, patient } = study;
  // A number that was merged away is not merged again.
  if (pacs.isMerged(patient)) return;
  const number = random.int(5, 6);
  const into: Patient = { ...patientOf(siteId, number) };
  const isTold = random.chance(0.5);
  world.note(`${siteId} ${studyUid} becomes another's, ${isTold ? 'told' : 'untold'}`);
  pacs.changePatient(studyUid, into);
  if (!isTold) return model.excuseStudy(siteId, studyUid);
  const event = {
    ...{ eventId: `${siteId}-${studyUid}-${number}`, trigger: 'A40' as const },
    happenedMs: EPOCH_MS + Math.floor(world.nowMs),
    from: { id: patient.id, issuer: patient.issuer },
    into: { id: into.id, issuer: into.issuer },
    demographics: { name: into.name, birthDate: into.birthDate, sex: 'O' as const },
  };
  // A merge is of the patient: all studies of that number go with it.
  pacs.changePatientOf(patient, into);
  let wasTaken = false;
  gateway.untold += 1;
  const tell = (): void => {
    if (wasTaken) return;
    const { life, sources } = gateway;
    if (!life || !sources) return void world.in(5_000, undefined, tell);
    const told = (): void => {
      applyIdentityEvent(sources, event, EPOCH_MS + Math.floor(world.nowMs + gateway.skewMs)).then(
        () => {
          if (!wasTaken) gateway.untold -= 1;
          wasTaken = true;
        },
        () => void world.in(5_000, undefined, tell),
      );
    };
    life.onEnd.push(() => world.in(25_000, undefined, tell));
    world.in(0, life, told);
  };
  world.in(random.int(0, 40_000), undefined, tell);
}
