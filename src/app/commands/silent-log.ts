import type { Log } from '../../core/ports.js';

const nothing = () => undefined;

/** For what the log is told of already. */
export const SILENT: Log = { info: nothing, warn: nothing, error: nothing, debug: nothing };
