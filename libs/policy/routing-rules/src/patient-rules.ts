/**
 * Rules on the patient: age on the day of the study, and sex.
 * Decides with completed years and months; an age that is only known in years is a range of
 * months, and a limit inside that range is a missing value, not a guess.
 * Invariant: an age tag that contradicts the birth date is refused whatever the rule says of a
 * missing one, as either may be right. Source: governance specification 4.3 (boundary vectors).
 */
import type { AgeRule, PatientRules } from '@aifi/contracts-manifests';
import { isNotOneOf } from './coded-values.js';
import type { AgeFact, StudyFacts } from './facts.js';
import { failed, missing, type Check, type Words } from './verdict.js';

const AGE = 'patient.age';
const SEX = 'patient.sex';

export function patientChecks(
  { age, sex }: PatientRules = {},
  facts: Pick<StudyFacts, 'age' | 'sex'>,
): Check[] {
  return [...(age ? [ageCheck(age, facts.age)] : []), ...(sex ? [sexCheck(sex, facts.sex)] : [])];
}

function sexCheck({ oneOf, onMissing }: NonNullable<PatientRules['sex']>, sex: StudyFacts['sex']) {
  const words = { en: 'sex', nl: 'geslacht' };
  if (!sex) return missing(SEX, onMissing, words);
  if (oneOf.includes(sex)) return { rule: SEX };
  return failed(SEX, 'OUT_OF_INTENDED_USE', isNotOneOf(words, [sex], oneOf));
}

function ageCheck(rule: AgeRule, age: AgeFact): Check {
  if (age.kind === 'contradiction') {
    return failed(AGE, 'OUT_OF_INTENDED_USE', {
      en: 'age and birth date contradict each other',
      nl: 'leeftijd en geboortedatum spreken elkaar tegen',
    });
  }
  if (age.kind !== 'known') return missing(AGE, rule.onMissing, AGE_WORDS[age.kind]);
  const words = yearsWords(rule, age.years) ?? monthsWords(rule, age);
  if (words === 'unknown') return missing(AGE, rule.onMissing, MONTHS_WORDS);
  return words ? failed(AGE, 'OUT_OF_INTENDED_USE', words) : { rule: AGE };
}

const AGE_WORDS = {
  missing: { en: 'age', nl: 'leeftijd' },
  placeholder: {
    en: 'age (the birth date stands for "unknown")',
    nl: 'leeftijd (de geboortedatum staat voor "onbekend")',
  },
};
const MONTHS_WORDS = { en: 'age in months', nl: 'leeftijd in maanden' };

function yearsWords(rule: AgeRule, years: number): Words | undefined {
  const { minYears, maxYears, belowYears } = rule;
  if (minYears !== undefined && years < minYears) return compared(years, '<', minYears, YEARS);
  if (maxYears !== undefined && years > maxYears) return compared(years, '>', maxYears, YEARS);
  if (belowYears !== undefined && years >= belowYears) {
    return compared(years, '≥', belowYears, YEARS);
  }
  return undefined;
}

function monthsWords(
  { minMonths = 0, belowMonths = Infinity }: AgeRule,
  { years, months }: Extract<AgeFact, { kind: 'known' }>,
): Words | 'unknown' | undefined {
  const [least, most] = [months ?? years * 12, months ?? years * 12 + 11];
  if (most < minMonths) return compared(most, '<', minMonths, MONTHS);
  if (least >= belowMonths) return compared(least, '≥', belowMonths, MONTHS);
  return least < minMonths || most >= belowMonths ? 'unknown' : undefined;
}

const YEARS = { en: 'y', nl: 'j' };
const MONTHS = { en: 'm', nl: 'mnd' };

function compared(found: number, sign: string, limit: number, unit: Words): Words {
  return {
    en: `age ${found} ${unit.en} ${sign} ${limit} ${unit.en}`,
    nl: `leeftijd ${found} ${unit.nl} ${sign} ${limit} ${unit.nl}`,
  };
}
