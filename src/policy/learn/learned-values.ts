import type { BootClaim, Claims, EventLogClaims } from '../../core/claims.js';
import type { EvidenceType } from '../../core/evidence.js';
import { hasVtpm } from '../../core/evidence-traits.js';

/** Allowed evidence, reduced to what reference values are learned from. */
export interface Seen {
  readonly type: EvidenceType;
  readonly claims: Claims;
}

/** Digests and registers as hex, names and command lines as text, VMPL as a number. */
export type PinnedValue = string | number;

/** One member of a set of reference values that can be learned. */
interface LearnedValue {
  /** Its path in a set, names joined by dots. */
  readonly member: string;
  /** Whether it pins the evidence. */
  readonly when: (seen: Seen) => boolean;
  /** The same in words. */
  readonly of: string;
  /** The value in the evidence; null if there is none. */
  readonly read: (claims: Claims) => readonly PinnedValue[] | null;
  /** Why it is learned. */
  readonly why: string;
}

const BOOT_MEMBERS = ['applications', 'commandLines', 'files', 'db', 'dbx'] as const satisfies readonly BootClaim[];
type BootMember = (typeof BOOT_MEMBERS)[number];

/** The PCRs that do not differ between machines or starts: without PCR 1, 5, 8 to 16 and 23. */
const BOOT_PCRS = [0, 2, 3, 4, 6, 7] as const;

const BOOT_WHY: { readonly [member in BootMember]: string } = {
  applications: 'the images that were started',
  commandLines: 'what the kernel was told: it can turn off what the image would check',
  files:
    'kernel and initrd, where a loader measures them, and what it reads besides: that can change from start to start',
  db: 'who may sign what is started',
  dbx: 'what is revoked; PCR 7 has it too',
};

const PCR_WHY: { readonly [index in (typeof BOOT_PCRS)[number]]: string } = {
  0: 'the firmware',
  2: 'code that the firmware loads besides',
  3: 'configuration of that code',
  4: 'boot loader and boot applications',
  6: 'what the manufacturer of the platform measures',
  7: 'Secure Boot: state, keys, and who signed what was started',
};

/** The launch measurement of a known paravisor covers the paravisor alone, and changes when Microsoft updates it. */
const LAUNCHED = 'evidence without a vTPM, or whose paravisor is not known';
const LOGGED = 'evidence with an event log';

function launchValues(): readonly LearnedValue[] {
  const learned = (name: string, why: string, read: LearnedValue['read']): LearnedValue => ({
    member: `snp.${name}`,
    when: countsLaunch,
    of: LAUNCHED,
    read,
    why,
  });
  return [
    learned('measurement', 'what was launched', ({ snp }) => one(snp?.measurement)),
    learned('idKeyDigest', 'who signed what was launched, where it is signed', ({ snp }) =>
      isSet(snp?.idKeyDigest) ? one(snp?.idKeyDigest) : null,
    ),
    learned('authorKeyDigest', 'who vouches for that key, where the report says that somebody does', ({ snp }) =>
      snp?.authorKeyEnabled === true ? one(snp.authorKeyDigest) : null,
    ),
    learned('hostData', 'configuration that the host set at launch', ({ snp }) => one(snp?.hostData)),
    learned('vmpl', 'which of the layers of the guest asked for the report', ({ snp }) => one(snp?.vmpl)),
  ];
}

function tdValues(): readonly LearnedValue[] {
  const withoutLog = ({ type, claims }: Seen) => !hasVtpm(type) && claims.tdx?.eventLog === undefined;
  return [
    {
      member: 'tdx.mrtd',
      when: countsLaunch,
      of: LAUNCHED,
      read: ({ tdx }) => one(tdx?.mrtd),
      why: 'what was launched, the firmware of a TD among it',
    },
    ...(['mrConfigId', 'mrOwner', 'mrOwnerConfig'] as const).map(
      (name): LearnedValue => ({
        member: `tdx.${name}`,
        when: () => true,
        of: 'every TD',
        read: ({ tdx }) => one(tdx?.[name]),
        why: 'configuration that the host set at launch; with it a set is of a TD, and never met by another TEE',
      }),
    ),
    ...([0, 1, 2, 3] as const).map(
      (index): LearnedValue => ({
        member: `tdx.rtmr${index}`,
        when: withoutLog,
        of: 'a TD without vTPM and event log',
        read: ({ tdx }) => one(tdx?.rtmr[index]),
        why: 'what was booted; behind a paravisor they describe that',
      }),
    ),
  ];
}

function bootValues(section: 'tdx' | 'tpm'): readonly LearnedValue[] {
  return BOOT_MEMBERS.map((name) => ({
    member: `${section}.boot.${name}`,
    when: ({ claims }) => claims[section]?.eventLog !== undefined,
    of: LOGGED,
    read: (claims) => bootClaim(claims[section]?.eventLog, name),
    why: BOOT_WHY[name],
  }));
}

/** The learnable values, in the order of the text. Nothing else is learned, except machines on request. */
export const LEARNED_VALUES: readonly LearnedValue[] = [
  ...launchValues(),
  ...tdValues(),
  ...bootValues('tdx'),
  ...bootValues('tpm'),
  ...BOOT_PCRS.map(
    (index): LearnedValue => ({
      member: `tpm.pcrs.sha256.${index}`,
      when: ({ type, claims }) => hasVtpm(type) && claims.tpm?.eventLog === undefined,
      of: 'evidence with a vTPM and without an event log',
      read: ({ tpm }) => one(tpm?.pcrs['sha256']?.[String(index)]),
      why: PCR_WHY[index],
    }),
  ),
];

/** Ignores order and repetition. */
function bootClaim(log: EventLogClaims | undefined, name: BootMember): readonly string[] | null {
  const value = log?.[name] ?? null;
  return value === null || typeof value === 'string' ? one(value ?? undefined) : [...new Set(value)];
}

function one<T extends PinnedValue>(value: T | undefined): readonly T[] | null {
  return value === undefined ? null : [value];
}

/** Whether a digest or register in hex is not all zeros. */
function isSet(hex: string | undefined): boolean {
  return hex !== undefined && !/^0*$/.test(hex);
}

/** Whether the launch measurement must be pinned. */
function countsLaunch(seen: Seen): boolean {
  const isKnown = seen.claims.hcl?.paravisor.known === true;
  return !hasVtpm(seen.type) || !isKnown || bootGap(seen)?.code === 'boot_unpinned';
}

/** The reason why the boot can be pinned only in part or not at all. */
export interface BootGap {
  readonly code: 'boot_unpinned' | 'tpm_pcr_not_quoted';
  /** One sentence for people, behind "the evidence". Lower case, no period. */
  readonly what: string;
}

/** Returns the gap of evidence; null if the log shows the whole boot. */
export function bootGap({ type, claims }: Seen): BootGap | null {
  const log = hasVtpm(type) ? claims.tpm?.eventLog : claims.tdx?.eventLog;
  if (log !== undefined) {
    return (log.applications ?? []).length > 0 ? null : unpinned('has an event log that shows no application');
  }
  if (hasVtpm(type)) return gapOfPcrs(claims.tpm?.pcrs['sha256'] ?? {});
  if (claims.hcl !== undefined) return unpinned('is a report of a paravisor alone, which does not measure the boot');
  const isUnmeasured = claims.tdx?.rtmr.every((register) => !isSet(register)) === true;
  return isUnmeasured ? unpinned('is of a TD that measured nothing of its boot into RTMRs') : null;
}

function gapOfPcrs(pcrs: { readonly [index: string]: string }): BootGap | null {
  if (BOOT_PCRS.every((index) => !isSet(pcrs[index]))) {
    return unpinned('has neither an event log nor a quoted PCR that says what was booted');
  }
  const missing = BOOT_PCRS.filter((index) => pcrs[index] === undefined);
  if (missing.length === 0) return null;
  return { code: 'tpm_pcr_not_quoted', what: `has no event log, and its quote leaves out PCR ${missing.join(', ')}` };
}

function unpinned(what: string): BootGap {
  return { code: 'boot_unpinned', what };
}

/** Returns the learnable members of the boot that the event log does not show. */
export function unshownMembers(seen: Seen): readonly string[] {
  return LEARNED_VALUES.filter(({ member }) => member.includes('.boot.'))
    .filter(({ when, read }) => when(seen) && (read(seen.claims) ?? []).length === 0)
    .map(({ member }) => member);
}

/** Whether files that a boot loader read can be learned. */
export function learnsFiles(seen: Seen): boolean {
  return LEARNED_VALUES.filter(({ member }) => member.endsWith('.boot.files')).some(
    ({ when, read }) => when(seen) && (read(seen.claims) ?? []).length > 0,
  );
}
