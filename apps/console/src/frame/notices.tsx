/**
 * Notices: that something was done, said to eyes and screen readers alike.
 * Decides that a notice is polite, can be closed and goes by itself; a fault is never a notice,
 * it stands where it happened. Source: WCAG 2.2, 4.1.3 (status messages).
 */
import { CloseButton } from '@mantine/core';
import { createContext, useCallback, useContext, useState, type ReactNode } from 'react';
import { Icon } from '../parts/icon.js';
import { useWords } from './language.js';

/** Long enough to read two sentences. @unit ms */
const SHOWN_MS = 10_000;
interface Notice {
  readonly id: number;
  readonly text: string;
}
const NoticeContext = createContext<(text: string) => void>(() => {});

let lastId = 0;

export function NoticeProvider({ children }: { readonly children: ReactNode }) {
  const words = useWords();
  const [notices, setNotices] = useState<readonly Notice[]>([]);
  const close = useCallback((id: number) => {
    setNotices((all) => all.filter((one) => one.id !== id));
  }, []);
  const tell = useCallback(
    (text: string) => {
      lastId += 1;
      const id = lastId;
      setNotices((all) => [...all.slice(-2), { id, text }]);
      setTimeout(() => close(id), SHOWN_MS);
    },
    [close],
  );
  return (
    <NoticeContext value={tell}>
      {children}
      <div className="aifi-notices" role="status" aria-live="polite">
        {notices.map(({ id, text }) => (
          <div key={id} className="aifi-notice">
            <Icon name="check" />
            <span>{text}</span>
            <CloseButton size="sm" aria-label={words.frame.close} onClick={() => close(id)} />
          </div>
        ))}
      </div>
    </NoticeContext>
  );
}

export const useNotice = (): ((text: string) => void) => useContext(NoticeContext);
