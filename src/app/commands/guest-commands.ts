import { collectCommand, type GuestOutput, requestCommand } from '../../cli/guest-commands.js';
import { warnOnStderr } from '../../cli/output.js';
import type { CollectOptions, GuestActions } from '../../cli/program.js';
import { GUEST_PLACES, type GuestPlaces } from '../../collector/collect.js';
import { toolRunner } from '../../collector/tool-run.js';
import { configfsEntry } from '../../collector/tsm-report.js';
import { RAW_RECOGNISER } from '../../inspect/raw-structures.js';
import { untilSignal } from './until-signal.js';

/** @param places paths of the machine to collect from; defaults to those of an Azure guest */
export function guestCommands(places: GuestPlaces = GUEST_PLACES): GuestActions {
  return {
    collect: (options) => collectUntilSignal(options, places),
    request: (folder, options) => requestCommand(folder, options, RAW_RECOGNISER, OUTPUT),
  };
}

/** A signal ends the collection once its changes to the TPM are reverted. Nothing is written then. */
function collectUntilSignal(options: CollectOptions, places: GuestPlaces): Promise<number> {
  const tpm = process.env['TPM2TOOLS_TCTI'] === undefined ? places.tpm : null;
  const machine = { places: { ...places, tpm }, run: toolRunner(process.env), openTsmEntry: configfsEntry };
  return untilSignal(
    (signal) => collectCommand(options, { ...machine, signal }, OUTPUT),
    (signal) => OUTPUT.warn(`${signal}: nothing was collected`),
  );
}

const OUTPUT: GuestOutput = {
  write: (text) => void process.stdout.write(text),
  warn: warnOnStderr,
};
