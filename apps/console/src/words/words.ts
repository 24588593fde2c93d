/**
 * Words: everything that a page says, in Dutch and English.
 * Decides the languages and that both are whole. Invariant: a code that a newer server knows and
 * this page does not is shown as it is, never hidden.
 */
import { access as accessEn } from './en/access.js';
import { acts as actsEn } from './en/acts.js';
import { catalogue as catalogueEn } from './en/catalogue.js';
import { frame as frameEn } from './en/frame.js';
import { gateway as gatewayEn } from './en/gateway.js';
import { hub as hubEn } from './en/hub.js';
import { link as linkEn } from './en/link.js';
import { objections as objectionsEn } from './en/objections.js';
import { problems as problemsEn } from './en/problems.js';
import { reconciliation as reconciliationEn } from './en/reconciliation.js';
import { requests as requestsEn } from './en/requests.js';
import { setup as setupEn } from './en/setup.js';
import { terms as termsEn } from './en/terms.js';
import { access as accessNl } from './nl/access.js';
import { acts as actsNl } from './nl/acts.js';
import { catalogue as catalogueNl } from './nl/catalogue.js';
import { frame as frameNl } from './nl/frame.js';
import { gateway as gatewayNl } from './nl/gateway.js';
import { hub as hubNl } from './nl/hub.js';
import { link as linkNl } from './nl/link.js';
import { objections as objectionsNl } from './nl/objections.js';
import { problems as problemsNl } from './nl/problems.js';
import { reconciliation as reconciliationNl } from './nl/reconciliation.js';
import { requests as requestsNl } from './nl/requests.js';
import { setup as setupNl } from './nl/setup.js';
import { terms as termsNl } from './nl/terms.js';
import type { Widened } from './widened.js';

const en = {
  ...{ access: accessEn, acts: actsEn, frame: frameEn, gateway: gatewayEn },
  ...{ hub: hubEn, link: linkEn, problems: problemsEn, terms: termsEn },
  ...{ reconciliation: reconciliationEn, requests: requestsEn },
  ...{ catalogue: catalogueEn, objections: objectionsEn },
  setup: setupEn,
};
export type Words = Widened<typeof en>;
const nl: Words = {
  ...{ access: accessNl, acts: actsNl, frame: frameNl, gateway: gatewayNl },
  ...{ hub: hubNl, link: linkNl, problems: problemsNl, terms: termsNl },
  ...{ reconciliation: reconciliationNl, requests: requestsNl },
  ...{ catalogue: catalogueNl, objections: objectionsNl },
  setup: setupNl,
};

export const WORDS = { nl, en } as const satisfies Record<string, Words>;
export type Language = keyof typeof WORDS;
export const LANGUAGES: readonly Language[] = ['nl', 'en'];

/** The language of a tag such as nl-BE: Dutch or, for everybody else, English. */
export const languageOf = (tag: string | null | undefined): Language =>
  tag?.toLowerCase().startsWith('nl') ? 'nl' : 'en';

/** The word for a code; the code itself when there is none. */
export function termOf(terms: Readonly<Record<string, string>>, code: string): string {
  return Object.hasOwn(terms, code) ? (terms[code] ?? code) : code;
}
