/** Card: a part of a page with its heading. Decides that the heading names the region. */
import { useId, type ReactNode } from 'react';

interface CardProps {
  readonly title: string;
  readonly children: ReactNode;
}
export function Card({ title, children }: CardProps) {
  const id = useId();
  return (
    <section className="aifi-card" aria-labelledby={id}>
      <h2 id={id}>{title}</h2>
      {children}
    </section>
  );
}
