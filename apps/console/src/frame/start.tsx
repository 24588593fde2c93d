/**
 * Start of a page: everything around it, in the order in which it is needed.
 * Decides that a page without a session shows nothing but the way to sign in.
 */
import './nonce.js';
import './styles.js';
import { localStorageColorSchemeManager, MantineProvider } from '@mantine/core';
import type { ReactNode } from 'react';
import { createRoot } from 'react-dom/client';
import type { SessionView } from '@aifi/contracts-rest';
import { ApiProvider } from '../api/api-context.js';
import { LanguageProvider } from './language.js';
import { LiveProvider } from './live.js';
import { styleNonce } from './nonce.js';
import { NoticeProvider } from './notices.js';
import { SessionProvider } from './session.js';
import { theme } from './theme.js';

const schemeManager = localStorageColorSchemeManager({ key: 'aifi-scheme' });

export function start(server: SessionView['server'], page: ReactNode): void {
  const root = document.getElementById('root');
  if (!root) throw new Error('the index has no root');
  createRoot(root).render(
    <MantineProvider
      theme={theme}
      defaultColorScheme="auto"
      colorSchemeManager={schemeManager}
      getStyleNonce={() => styleNonce}
    >
      <LanguageProvider>
        <ApiProvider>
          <NoticeProvider>
            <SessionProvider server={server}>
              <LiveProvider>{page}</LiveProvider>
            </SessionProvider>
          </NoticeProvider>
        </ApiProvider>
      </LanguageProvider>
    </MantineProvider>,
  );
}
