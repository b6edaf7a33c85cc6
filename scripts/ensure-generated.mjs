import { existsSync } from 'node:fs';
import { ensureGenerated } from './generated-modules.mjs';

/** npm also runs `prepare` if only the packages of a running service are installed. */
const isInstallation = process.env.npm_lifecycle_event === 'prepare';
const compiler = new URL('../node_modules/tsx', import.meta.url);
if (!isInstallation || existsSync(compiler)) await ensureGenerated();
