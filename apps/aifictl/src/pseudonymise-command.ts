/**
 * aifictl pseudonymise: the engine of the gateway over a folder of files, without a gateway.
 * Decides what is asked for before anything is written, and what is told: verdicts and counts,
 * never a value, never a file name. Invariant: a file that was not looked through is never written.
 * Source: pseudonymisation specification 1.2, 1.5.
 */
import type { DeidentificationContract } from '@aifi/contracts-manifests';
import { CLAIMED_OPTIONS, contractOf } from '@aifi/dicom-deidentification';
import { createPixelGate } from '@aifi/dicom-pixel-gate';
import { systemClock } from '@aifi/shared-kernel';
import { readKeyRing } from '@aifi/shared-site-keys';
import { UsageError, type Command } from './command-line.js';
import { count } from './plain-values.js';
import { FolderPseudonymiser, type FolderOutcome } from './pseudonymise-folder.js';
import { openFolders, withKeyFile } from './pseudonymise-inputs.js';
import { readProfile } from './pseudonymise-profile.js';
import { ReportFile, type PseudonymiseReport, type ReportTail } from './pseudonymise-report.js';

export interface PseudonymiseDocument {
  readonly report: string;
  readonly totals: PseudonymiseReport['totals'];
  readonly withdrawnStudies: number;
}

const DEFAULT_SITE = 'LOCAL';
/** As the site code of a gateway. */
const SITE = /^[A-Z0-9][A-Z0-9-]{0,31}$/;

export async function pseudonymise({ options }: Command): Promise<PseudonymiseDocument> {
  const { in: input = '', out: output = '', key = '', report = '' } = options;
  const site = (options.site ?? DEFAULT_SITE).toUpperCase();
  if (!SITE.test(site)) throw new UsageError('--site is the name of a site');
  const profile = await readProfile(options.profile);
  const { current: keys } = await withKeyFile(key, () => readKeyRing({ path: key }));
  const folders = await openFolders(input, output);
  const { deidentification, pixelGate } = profile;
  const context = { siteCode: site, keys, contract: profile.contract, ...deidentification };
  const contract = contractOf(context);
  const head = { site, keyEpoch: keys.epoch, contract, deidentification, pixelGate };
  const file = await ReportFile.create(report, head);
  const gate = createPixelGate({ clock: systemClock, manufacturers: pixelGate.manufacturers });
  try {
    const onVerdict = file.add.bind(file);
    const sut = new FolderPseudonymiser({ folders, context, keys, gate, onVerdict });
    const outcome = await sut.run();
    const tail = tailOf(outcome, sut.attributes.rows(), contract);
    await file.finish(tail);
    return { report, totals: tail.totals, withdrawnStudies: tail.withdrawn.length };
  } finally {
    await gate.close();
    await file.close();
  }
}

function tailOf(
  { withdrawn, cleaned, ...outcome }: FolderOutcome,
  attributes: PseudonymiseReport['attributes'],
  contract: DeidentificationContract,
): ReportTail {
  const { passed, quarantined, staysBehind } = outcome;
  const untouched = passed + withdrawn.reduce((sum, { files }) => sum + files, 0) - cleaned;
  const options = CLAIMED_OPTIONS.map(({ code, meaning, isTrue }) => ({
    ...{ code, meaning },
    files:
      (isTrue({ contract, isCleaned: false }) ? untouched : 0) +
      (isTrue({ contract, isCleaned: true }) ? cleaned : 0),
  }));
  return {
    ...{ withdrawn: [...withdrawn], attributes },
    options: options.filter(({ files }) => files > 0),
    totals: { files: passed + quarantined + staysBehind, ...outcome },
  };
}

export function renderPseudonymise(document: PseudonymiseDocument): string {
  const { report, totals, withdrawnStudies } = document;
  const { files, passed, quarantined, staysBehind, passedOver } = totals;
  const withdrawn =
    withdrawnStudies > 0
      ? [`  ${count(withdrawnStudies, 'study')} withdrawn: two patients in one study`]
      : [];
  const links = passedOver > 0 ? [`  ${count(passedOver, 'link')} not followed`] : [];
  return `${[
    `${count(files, 'file')}: ${passed} passed, ${quarantined} quarantined, ` +
      `${staysBehind} stay behind`,
    ...withdrawn,
    ...links,
    `  report: ${report}`,
  ].join('\n')}\n`;
}
