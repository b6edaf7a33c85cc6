import { learnsFiles, type Seen, unshownMembers } from './learned-values.js';
import type { LearningPlan } from './plan.js';
import type { LearnedWarning } from './refusals.js';

/** The subject of notes. */
interface NotedEvidence {
  readonly source: { readonly name: string };
  readonly seen: Seen;
  readonly warnings: readonly LearnedWarning[];
}

/** Notes about the evidence for people, one sentence each. */
export function notesOn(evidence: readonly NotedEvidence[], { header }: LearningPlan): readonly string[] {
  const open = evidence.flatMap(({ source, seen }) => {
    const unshown = unshownMembers(seen);
    return unshown.length === 0
      ? []
      : [`${source.name}: its event log does not show ${unshown.join(', ')}: its set leaves that open`];
  });
  const ofMachines = header.chips ? ['--chips: each machine that is listed may have any of the sets'] : [];
  return [...open, ...onFiles(evidence), ...onWarnings(evidence), ...ofMachines];
}

/** Names do not identify these files. A log does not measure names, and its sender could choose which to leave out. */
function onFiles(evidence: readonly NotedEvidence[]): readonly string[] {
  const learned = evidence.filter(({ seen }) => learnsFiles(seen));
  if (learned.length === 0) return [];
  const why = 'files that a boot loader reads can change from start to start, such as grubenv of GRUB';
  return [`${evidenceNames(learned)}: ${why}: start each machine once more, and learn again from its evidence`];
}

/** Returns one note for each code, with the detail of the first piece of evidence. */
function onWarnings(evidence: readonly NotedEvidence[]): readonly string[] {
  const byCode = new Map<string, { readonly detail: string; readonly having: NotedEvidence[] }>();
  for (const each of evidence) {
    for (const { code, detail } of each.warnings) {
      const found = byCode.get(code);
      if (found === undefined) byCode.set(code, { detail, having: [each] });
      else found.having.push(each);
    }
  }
  return [...byCode].map(
    ([code, { detail, having }]) => `${evidenceNames(having)}: learned with the warning ${code}: ${detail}`,
  );
}

/** Maximum number of names in a note. The others are counted. */
const SHOWN_NAMES = 3;

function evidenceNames(evidence: readonly NotedEvidence[]): string {
  const names = [...new Set(evidence.map(({ source }) => source.name))];
  const more = names.length - SHOWN_NAMES;
  return [names.slice(0, SHOWN_NAMES).join(', '), ...(more > 0 ? [`and ${more} more`] : [])].join(' ');
}
