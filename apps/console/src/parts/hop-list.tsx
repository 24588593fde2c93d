/**
 * HopList: what happened, step by step, downwards in the order of the data.
 * Decides how a hop reads: stage and event, exact time, time since the hop before, its facts.
 * Invariant: a code is shown with its words, a digest can be copied whole.
 */
import { deadLetterWords } from '@aifi/contracts-rest';
import { isReasonCode, REASON_CODES } from '@aifi/shared-kernel';
import type { Fact, Hop } from '../format/hops.js';
import type { LanguageState } from '../frame/language.js';
import { useLanguage } from '../frame/language.js';
import { termOf } from '../words/words.js';
import { CodeValue } from './code-value.js';
import { Icon } from './icon.js';
import { TONE_ICONS } from './state-label.js';
import { At } from './when.js';

interface HopListProps {
  readonly hops: readonly Hop[];
  readonly label: string;
}
export function HopList({ hops, label }: HopListProps) {
  return (
    <ol className="aifi-hops" aria-label={label}>
      {hops.map((hop) => (
        <HopLine key={hop.key} hop={hop} />
      ))}
    </ol>
  );
}

function HopLine({ hop }: { readonly hop: Hop }) {
  const { words, formats } = useLanguage();
  const { terms, hub } = words;
  const { stage, event, atMs, sinceMs, tone, isNext, facts } = hop;
  const since = sinceMs === null ? hub.study.first : hub.study.since(formats.duration(sinceMs));
  return (
    <li className="aifi-hop" data-next={isNext || undefined}>
      <span className="aifi-hop-sign aifi-state" data-tone={tone}>
        <Icon name={TONE_ICONS[tone]} size={12} />
      </span>
      <div className="aifi-hop-head">
        <span>
          <span className="aifi-hop-stage">{termOf(terms.stages, stage)}</span>:{' '}
          {termOf(terms.events, event)}
        </span>
        <span className="aifi-hop-times">
          <At atMs={atMs} />, {isNext ? hub.study.next : since}
        </span>
      </div>
      {facts.length > 0 && (
        <dl className="aifi-hop-facts">
          {facts.map((fact, index) => (
            <div key={`${fact.name}-${index}`}>
              <dt>{termOf(terms.facts, fact.name)}</dt>
              <dd>
                <FactValue fact={fact} />
              </dd>
            </div>
          ))}
        </dl>
      )}
    </li>
  );
}

function FactValue({ fact }: { readonly fact: Fact }) {
  const state = useLanguage();
  const { formats, words } = state;
  const { kind, name, value, untilMs } = fact;
  switch (kind) {
    case 'digest':
      return <CodeValue value={String(value)} label={termOf(words.terms.facts, name)} />;
    case 'size':
      return formats.size(Number(value));
    case 'number':
      return formats.number(Number(value));
    case 'time':
      return <At atMs={Number(value)} />;
    case 'span':
      return (
        <>
          <At atMs={Number(value)} /> (
          {formats.duration((untilMs ?? Number(value)) - Number(value))})
        </>
      );
    case 'code':
      return codeWords(String(value), state);
    default:
      return String(value);
  }
}

/** `MODEL_FAILED: the analysis by the product failed` */
export function codeWords(code: string, { language, words }: LanguageState): string {
  if (isReasonCode(code)) return `${code}: ${REASON_CODES[code][language]}`;
  const undelivered = deadLetterWords(code);
  if (undelivered) return `${code}: ${undelivered[language]}`;
  const known: Readonly<Record<string, string>> = words.problems;
  return Object.hasOwn(known, code) ? `${code}: ${known[code]}` : code;
}
