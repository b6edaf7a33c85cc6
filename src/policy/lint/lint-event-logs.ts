import { hasTdEventLog } from '../../core/evidence-traits.js';
import type { PolicyMembers } from '../document/policy-grammar.js';
import type { PolicyProblem } from '../document/policy-problem.js';

/** Warns of gaps in a policy that relies on an event log. */
export function lintEventLogs(policy: PolicyMembers): readonly PolicyProblem[] {
  return [...commandLinesAlone(policy), ...unknownFirmware(policy)];
}

/** The message for command lines without files. One register covers both, and only the log labels their digests. */
const COMMAND_LINES_ALONE =
  'commandLines without files: whoever sends a log can call the load options of a kernel a file, so list the files as well';

function commandLinesAlone({ referenceValues }: PolicyMembers): readonly PolicyProblem[] {
  return referenceValues.flatMap((set, index) =>
    (['tpm', 'tdx'] as const)
      .filter((section) => set[section]?.boot?.commandLines != null && set[section]?.boot?.files == null)
      .map((section) => unpinned(`/referenceValues/${index}/${section}/boot`, COMMAND_LINES_ALONE)),
  );
}

/** The message for RTMRs without MRTD. Firmware extends the RTMRs, and the launcher chooses the firmware. */
const UNKNOWN_FIRMWARE = 'without tdx.mrtd, any firmware can say this of the boot of a TD, so list its MRTD as well';

function unknownFirmware({ accepts, secureBoot, referenceValues }: PolicyMembers): readonly PolicyProblem[] {
  if (!accepts.some((type) => hasTdEventLog(type))) return [];
  const isOpen = ({ tdx }: PolicyMembers['referenceValues'][number]) => tdx?.mrtd == null;
  const remark = (pointer: string) => unpinned(pointer, UNKNOWN_FIRMWARE);
  const ofSets = referenceValues.flatMap((set, index) =>
    set.tdx?.boot != null && isOpen(set) ? [remark(`/referenceValues/${index}/tdx/boot`)] : [],
  );
  const isRequired = secureBoot === 'required' && (referenceValues.length === 0 || referenceValues.some(isOpen));
  return isRequired ? [remark('/secureBoot'), ...ofSets] : ofSets;
}

function unpinned(pointer: string, message: string): PolicyProblem {
  return { code: 'boot_unpinned', pointer, message };
}
