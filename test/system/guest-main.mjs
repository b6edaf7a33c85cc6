import { runCommandLine } from '../../src/app/commands/command-line.ts';
import { guestCommands } from '../../src/app/commands/guest-commands.ts';
import { GUEST_PLACES } from '../../src/collector/collect.ts';

/**
 * `veritee` as it was compiled, but for where a guest finds its lock, logs and metadata service, which nothing else can
 * change. Arguments: these places as JSON, then those of the command.
 */
const [places, ...args] = process.argv.slice(2);
const commands = guestCommands({ ...GUEST_PLACES, ...JSON.parse(places) });
process.exitCode = await runCommandLine(args, null, { guest: async () => commands });
