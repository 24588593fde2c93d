/**
 * The language of the page: Dutch or English, kept in the browser, and the document says which.
 * Decides the first language from the browser. Invariant: only this choice and the colour scheme
 * are kept in the browser's storage; no token and no data.
 */
import { createContext, useContext, useEffect, useMemo, useState, type ReactNode } from 'react';
import { Formats } from '../format/times.js';
import { languageOf, WORDS, type Language, type Words } from '../words/words.js';

const STORED_AS = 'aifi-language';

export interface LanguageState {
  readonly language: Language;
  readonly words: Words;
  readonly formats: Formats;
  readonly setLanguage: (language: Language) => void;
}
const LanguageContext = createContext<LanguageState | undefined>(undefined);

function firstLanguage(): Language {
  try {
    return languageOf(window.localStorage.getItem(STORED_AS) ?? navigator.language);
  } catch {
    // Storage can be forbidden: the choice then lasts as long as the page.
    return languageOf(navigator.language);
  }
}

export function LanguageProvider({ children }: { readonly children: ReactNode }) {
  const [language, setLanguage] = useState(firstLanguage);
  useEffect(() => {
    document.documentElement.lang = language;
    try {
      window.localStorage.setItem(STORED_AS, language);
    } catch {
      // As above.
    }
  }, [language]);
  const state = useMemo<LanguageState>(
    () => ({ language, words: WORDS[language], formats: new Formats(language), setLanguage }),
    [language],
  );
  return <LanguageContext value={state}>{children}</LanguageContext>;
}

export function useLanguage(): LanguageState {
  const state = useContext(LanguageContext);
  if (!state) throw new Error('outside of the language');
  return state;
}
export const useWords = (): Words => useLanguage().words;
