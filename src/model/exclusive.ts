/**
 * Does work that no other process of the service does at the same time under this name. Work under another name does not wait.
 * @throws {Error} where that cannot be had; the work has not begun then
 */
export type Exclusive = <T>(name: string, work: () => Promise<T>) => Promise<T>;

/** Of a service that is one process. */
export const ALONE: Exclusive = (_name, work) => work();
