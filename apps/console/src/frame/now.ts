/**
 * The present, for relative times and countdowns.
 * Decides that a page looks at the clock at its own pace, never faster than it is shown.
 */
import { useEffect, useState } from 'react';

/** The present, renewed each `everyMs`. @unit ms */
export function useNow(everyMs: number): number {
  const [nowMs, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return nowMs;
}
