import { readFileSync } from 'node:fs';
import { runCommandLine } from '../../dist/app/commands/command-line.js';
import { replayCommands } from '../../dist/app/commands/replay-commands.js';

/** `veritee` as it was compiled, but for the roots that decisions are judged again by. Arguments: pins as JSON, then its own. */
const [pinsFile, ...args] = process.argv.slice(2);
const { amd, intel } = JSON.parse(readFileSync(pinsFile, 'utf8'));
const amdPins = new Map(amd.map(([product, digests]) => [product, new Set(digests)]));
const commands = replayCommands({ amdRootPins: amdPins, intelRootPins: new Set(intel) });
process.exitCode = await runCommandLine(args, null, { replays: async () => commands });
