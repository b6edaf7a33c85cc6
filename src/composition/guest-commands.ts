import { collectCommand, type GuestOutput, requestCommand } from '../cli/guest-commands.js';
import { printable } from '../cli/output.js';
import type { Actions, CollectOptions } from '../cli/program.js';
import { GUEST_PLACES, type GuestPlaces } from '../collector/collect.js';
import { toolRunner } from '../collector/tool-run.js';
import { configfsEntry } from '../collector/tsm-report.js';

/** As a shell has them: 128 and the number of the signal. */
const EXIT_CODES = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

/** @param places of the machine that is collected from, where it is not a guest as Azure makes it */
export function guestCommands(places: GuestPlaces = GUEST_PLACES): Pick<Actions, 'collect' | 'request'> {
  return {
    collect: (options) => collectUntilSignal(options, places),
    request: (folder, options) => requestCommand(folder, options, OUTPUT),
  };
}

/** A signal ends the collection once what it changed in the TPM is put back. Nothing is written then. */
async function collectUntilSignal(options: CollectOptions, places: GuestPlaces): Promise<number> {
  const stop = new AbortController();
  for (const signal of Object.keys(EXIT_CODES)) process.on(signal, () => stop.abort(signal));
  const tpm = process.env['TPM2TOOLS_TCTI'] === undefined ? places.tpm : null;
  const world = {
    places: { ...places, tpm },
    run: toolRunner(process.env),
    openTsmEntry: configfsEntry,
    signal: stop.signal,
  };
  try {
    return await collectCommand(options, world, OUTPUT);
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    const signal: keyof typeof EXIT_CODES = stop.signal.reason;
    OUTPUT.warn(`${signal}: nothing was collected`);
    return EXIT_CODES[signal];
  }
}

const OUTPUT: GuestOutput = {
  write: (text) => void process.stdout.write(text),
  warn: (message) => void process.stderr.write(`warning: ${printable(message)}\n`),
};
