/**
 * No space: the one bell that rings when a write of this process finds the disk full.
 * Decides nothing; whoever watches the disk hears of it before its next look, whichever stage met
 * it. Invariant: ringing never throws and waits for nobody.
 * Source: reliability specification 2 ("Disk": ENOSPC anywhere).
 */
let listener: () => void = () => undefined;

/** Who is told; the last one given. */
export function onNoSpace(told: () => void): void {
  listener = told;
}

/** Called where ENOSPC, EDQUOT or SQLITE_FULL becomes OUT_OF_RESOURCES. */
export function reportNoSpace(): void {
  listener();
}
