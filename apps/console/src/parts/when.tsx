/**
 * Times on a page: relative where the present matters, exact where order matters.
 * Invariant: the other form is always there as a title, and the machine-readable time too.
 */
import { useNow } from '../frame/now.js';
import { useLanguage } from '../frame/language.js';
import { countdown } from '../format/times.js';

interface WhenProps {
  readonly atMs: number | null;
  /** Words for null. */
  readonly absent?: string;
}
/** How often "3 minutes ago" is looked at again. @unit ms */
const RENEW_MS = 15_000;

export function When({ atMs, absent = '–' }: WhenProps) {
  const { formats } = useLanguage();
  const nowMs = useNow(RENEW_MS);
  if (atMs === null) return <span>{absent}</span>;
  return (
    <time
      className="aifi-nowrap"
      dateTime={new Date(atMs).toISOString()}
      title={formats.exact(atMs)}
    >
      {formats.relative(atMs, nowMs)}
    </time>
  );
}

export function At({ atMs, absent = '–' }: WhenProps) {
  const { formats } = useLanguage();
  const nowMs = useNow(RENEW_MS);
  if (atMs === null) return <span>{absent}</span>;
  return (
    <time
      className="aifi-nowrap"
      dateTime={new Date(atMs).toISOString()}
      title={formats.relative(atMs, nowMs)}
    >
      {formats.exact(atMs)}
    </time>
  );
}

/** What is left until then, by the second. */
export function TimeLeft({ untilMs }: { readonly untilMs: number }) {
  const nowMs = useNow(1_000);
  return (
    <span className="aifi-countdown" role="timer" aria-live="off">
      {countdown(untilMs - nowMs)}
    </span>
  );
}
