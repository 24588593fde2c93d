/** Language and appearance: what a person sets about the page itself. Decides nothing. */
import {
  SegmentedControl,
  useMantineColorScheme,
  VisuallyHidden,
  type MantineColorScheme,
} from '@mantine/core';
import { Icon, type IconName } from '../parts/icon.js';
import { LANGUAGES, type Language } from '../words/words.js';
import { useLanguage } from './language.js';

const LANGUAGE_NAMES: Readonly<Record<Language, string>> = { nl: 'Nederlands', en: 'English' };
const SCHEME_ICONS: Readonly<Record<MantineColorScheme, IconName>> = {
  light: 'sun',
  dark: 'moon',
  auto: 'screen',
};

export function LanguageSwitch() {
  const { language, setLanguage, words } = useLanguage();
  return (
    <SegmentedControl
      aria-label={words.frame.language}
      size="xs"
      value={language}
      onChange={setLanguage}
      data={LANGUAGES.map((value) => ({
        value,
        label: (
          <span lang={value} title={LANGUAGE_NAMES[value]}>
            {value.toUpperCase()}
          </span>
        ),
      }))}
    />
  );
}

export function SchemeSwitch() {
  const { words } = useLanguage();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const schemes: readonly MantineColorScheme[] = ['light', 'dark', 'auto'];
  return (
    <SegmentedControl
      aria-label={words.frame.scheme}
      size="xs"
      value={colorScheme}
      onChange={setColorScheme}
      data={schemes.map((value) => ({
        value,
        label: (
          <span className="aifi-scheme" title={words.frame.schemes[value]}>
            <Icon name={SCHEME_ICONS[value]} size={15} />
            <VisuallyHidden>{words.frame.schemes[value]}</VisuallyHidden>
          </span>
        ),
      }))}
    />
  );
}
