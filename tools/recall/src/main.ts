/**
 * Entry: measures the recall of the gate and writes the page about it.
 * Arguments: a folder of real images, the page to write, texts per cell (default 40; the cells of
 * the gate get three times as many). Exit 1 when a text of the gate was missed. Uses phantoms where
 * the folder has no picture of a kind.
 */
import { writeFile } from 'node:fs/promises';
import {
  chanceOf,
  createTextDetector,
  findingsIn,
  NO_READER,
  phantomOf,
  trialOf,
  type MeasuredPicture,
  type PhantomKind,
  type Tier,
  type Trial,
} from '@aifi/dicom-pixel-gate/recall';
import { systemClock } from '@aifi/shared-kernel';
import { cleanPicturesIn } from './clean-pictures.js';
import { CONTRASTS, reportOf, SIZES, type GroupResult } from './recall-report.js';

const SEED = 1_961;
const PHANTOMS_EACH = 6;
/** Texts tried for each that fits: dark text on air does not. */
const TRIED_EACH = 12;
const GATE_FACTOR = 3;

const [folder, page, each = '40'] = process.argv.slice(2);
if (!folder || !page) throw new Error('usage: recall FOLDER PAGE [TEXTS PER CELL]');

const detector = createTextDetector({ clock: systemClock });
const real = await cleanPicturesIn(folder);
const groups: GroupResult[] = [];
groups.push(await measured('CT, border bands', 'border', ['CT'], 'ct'));
groups.push(await measured('MR, border bands', 'border', ['MR'], 'mr'));
groups.push(await measured('Radiographs, border bands', 'bands', ['CR', 'DX', 'MG'], 'radiograph'));
groups.push(await measured('Ultrasound, whole picture', 'full', ['US'], 'ultrasound'));
await detector.close();
await writeFile(page, reportOf(groups, SEED));
const missed = groups.flatMap(({ trials }) => trials).filter(isMissedByGate);
for (const trial of missed) console.error('missed', JSON.stringify(trial));
process.exitCode = missed.length > 0 ? 1 : 0;

async function measured(
  name: string,
  tier: Tier,
  modalities: readonly string[],
  kind: PhantomKind,
): Promise<GroupResult> {
  const pictures: MeasuredPicture[] = real.filter(
    (picture) => picture.tier === tier && modalities.includes(picture.modality),
  );
  for (let seed = 0; seed < PHANTOMS_EACH; seed += 1) {
    pictures.push({ canvas: phantomOf(kind, seed), tier, modality: modalities[0]! });
  }
  let held = 0;
  const empty: MeasuredPicture[] = [];
  for (const picture of pictures) {
    if ((await findingsIn(picture, detector)).length > 0) held += 1;
    if ((await findingsIn(picture, NO_READER)).length === 0) empty.push(picture);
  }
  const trials = await trialsOf(empty);
  console.log(name, `${pictures.length} pictures, ${held} held, ${trials.length} texts`);
  return { name, pictures: pictures.length, trials, falseHolds: { held, of: pictures.length } };
}

async function trialsOf(pictures: readonly MeasuredPicture[]): Promise<Trial[]> {
  const chance = chanceOf(SEED);
  const trials: Trial[] = [];
  for (const capRows of SIZES) {
    for (const contrast of CONTRASTS) {
      const isGate = capRows[0] >= 10 && contrast[0] >= 50;
      const wanted = Number(each) * (isGate ? GATE_FACTOR : 1);
      let found = 0;
      for (let tried = 0; found < wanted && tried < wanted * TRIED_EACH; tried += 1) {
        const trial = await trialOf(
          chance.pick(pictures),
          chance,
          { capRows, contrast },
          NO_READER,
        );
        if (!trial) continue;
        trials.push(trial);
        found += 1;
      }
    }
  }
  return trials;
}

function isMissedByGate({ capRows, contrast, isFound }: Trial): boolean {
  return !isFound && capRows >= 10 && contrast >= 50;
}
