/**
 * The demo studies, in the order in which they are sent.
 * Decides the set; each study's file says what is expected of it. Expectations of a product that is
 * not deployed are left out: nobody asks it anything.
 */
import { crTibia } from './cr-tibia.js';
import { ctHead } from './ct-head.js';
import type { DemoStudy, StudyOptions } from './demo-study.js';
import { mrSlab } from './mr-slab.js';
import { t1Brain } from './t1-brain.js';

export interface DemoStudiesOptions extends StudyOptions {
  /** Names of the deployed products. */
  readonly products: readonly string[];
}

/** @param dataFolder `deploy/demo/data` of the checkout */
export function demoStudies(dataFolder: string, options: DemoStudiesOptions): DemoStudy[] {
  return [t1Brain, ctHead, mrSlab, crTibia].map((make) => {
    const study = make(dataFolder, options);
    const expected = study.expected.filter(({ product }) => options.products.includes(product));
    return { ...study, expected };
  });
}
