import { readFileSync } from 'node:fs';
import { runCommandLine } from '../../src/app/commands/command-line.ts';
import { replayCommands } from '../../src/app/commands/replay-commands.ts';

/** `veritee` as it was compiled, but for the roots that decisions are judged again by. Arguments: pins as JSON, then its own. */
const [pinsFile, ...args] = process.argv.slice(2);
const { amd, intel } = JSON.parse(readFileSync(pinsFile, 'utf8'));
const amdPins = new Map(amd.map(([product, digests]) => [product, new Set(digests)]));
const commands = replayCommands({ amdRootPins: amdPins, intelRootPins: new Set(intel) });
process.exitCode = await runCommandLine(args, null, { replays: async () => commands });
