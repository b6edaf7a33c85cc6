import { hasParavisor, hasTdEventLog, isHardwareType, kindOf, teeOf } from '../model/evidence-traits.js';
import type { PolicyMembers } from './policy-grammar.js';
import { type PolicyProblem, schemaProblem } from './policy-problem.js';

/** Members of a policy that contradict each other. */
export function crossMemberProblems(policy: PolicyMembers): readonly PolicyProblem[] {
  return [...acceptsProblems(policy), ...minimumsProblems(policy), ...registerProblems(policy)];
}

function acceptsProblems({ accepts, routes }: PolicyMembers): readonly PolicyProblem[] {
  const problems: PolicyProblem[] = [];
  const kinds = new Set(accepts.map(kindOf));
  if (kinds.size > 1)
    problems.push(schemaProblem('/accepts', 'must have only hardware types, only tokens, or only tpm'));
  if (routes.hardware === 'off' && kinds.has('hardware')) {
    problems.push(schemaProblem('/routes/hardware', 'cannot be off for a hardware type'));
  }
  return problems;
}

/** An entry for a TEE that the policy does not accept is never compared, and is tolerated. */
function minimumsProblems({ accepts, minimums }: PolicyMembers): readonly PolicyProblem[] {
  const problems: PolicyProblem[] = [];
  const tees = new Set(accepts.map(teeOf));
  if (tees.has('snp') && minimums.snp === null) problems.push(schemaProblem('/minimums/snp', 'is missing'));
  if (tees.has('tdx') && minimums.tdx === null) problems.push(schemaProblem('/minimums/tdx', 'is missing'));
  const comparesNothing = [minimums.snp, minimums.tdx].every((entry) => entry === null || entry === 'any');
  if (!accepts.some(isHardwareType) && !comparesNothing) {
    problems.push(schemaProblem('/minimums', 'must be any where no hardware report is accepted'));
  }
  return problems;
}

/** In an Azure TD, RTMRs measure the paravisor, not the guest: such a pin would only seem to pin the guest's image. */
function registerProblems({ accepts, referenceValues }: PolicyMembers): readonly PolicyProblem[] {
  const azureTd = accepts.find((type) => teeOf(type) === 'tdx' && hasParavisor(type));
  if (azureTd === undefined) return [];
  return referenceValues.flatMap(({ tdx }, index) =>
    (['rtmr0', 'rtmr1', 'rtmr2', 'rtmr3'] as const)
      .filter((register) => tdx !== null && tdx[register] !== null)
      .map((register) =>
        schemaProblem(`/referenceValues/${index}/tdx/${register}`, `describes the paravisor in ${azureTd} evidence`),
      ),
  );
}

/** Something of a policy that says less than it seems to. */
interface PolicyRemark {
  /** JSON pointer into the policy. */
  readonly pointer: string;
  readonly message: string;
}

/** What of a policy says less than it seems to. It loads, and whoever runs the service should know. */
export function policyRemarks(policy: PolicyMembers): readonly PolicyRemark[] {
  return [...commandLinesAlone(policy), ...unknownFirmware(policy)];
}

/** Both stand in one register by their digests, and only the log says which is which. */
const COMMAND_LINES_ALONE =
  'commandLines without files: whoever sends a log can call the load options of a kernel a file, so list the files as well';

function commandLinesAlone({ referenceValues }: PolicyMembers): readonly PolicyRemark[] {
  return referenceValues.flatMap((set, index) =>
    (['tpm', 'tdx'] as const)
      .filter((section) => set[section]?.boot?.commandLines != null && set[section]?.boot?.files == null)
      .map((section) => ({ pointer: `/referenceValues/${index}/${section}/boot`, message: COMMAND_LINES_ALONE })),
  );
}

/** The firmware of a TD extends its RTMRs, and whoever starts the TD chooses the firmware. */
const UNKNOWN_FIRMWARE = 'without tdx.mrtd, any firmware can say this of the boot of a TD, so list its MRTD as well';

function unknownFirmware({ accepts, secureBoot, referenceValues }: PolicyMembers): readonly PolicyRemark[] {
  if (!accepts.some((type) => hasTdEventLog(type))) return [];
  const isOpen = ({ tdx }: PolicyMembers['referenceValues'][number]) => tdx?.mrtd == null;
  const remark = (pointer: string) => ({ pointer, message: UNKNOWN_FIRMWARE });
  const ofSets = referenceValues.flatMap((set, index) =>
    set.tdx?.boot != null && isOpen(set) ? [remark(`/referenceValues/${index}/tdx/boot`)] : [],
  );
  const isRequired = secureBoot === 'required' && (referenceValues.length === 0 || referenceValues.some(isOpen));
  return isRequired ? [remark('/secureBoot'), ...ofSets] : ofSets;
}
