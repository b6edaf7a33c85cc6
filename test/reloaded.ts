import type { PreparedPart } from '../src/model/reload.js';

type Prepared = Omit<PreparedPart, 'name'> & Partial<Pick<PreparedPart, 'name'>>;

/** Reads a part again, and puts in force what is fit. @returns what came of it, in the order of the parts */
export async function reloaded(part: { prepareReload(): Promise<Prepared | readonly Prepared[]> }) {
  const prepared = [await part.prepareReload()].flat() as readonly Prepared[];
  for (const { isFit, commit } of prepared) if (isFit) commit();
  return prepared.map(({ name, isFit }) => ({ name, isTaken: isFit }));
}
