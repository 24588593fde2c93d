/**
 * Modules under test that their library does not export.
 * Decides that they are reached by file, and only from here; what is expected of them is written
 * down where they are used, and a module that lacks it fails its target at once.
 */
import { AifiError } from '@aifi/shared-kernel';

export async function internalModule<T extends object>(
  path: string,
  names: readonly (keyof T & string)[],
): Promise<T> {
  const module = (await import(new URL(`../../../${path}`, import.meta.url).href)) as Partial<T>;
  for (const name of names) {
    if (module[name] === undefined) throw new AifiError('INTERNAL', `${path} has no ${name}`);
  }
  return module as T;
}
