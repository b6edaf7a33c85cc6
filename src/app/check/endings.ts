import { X509Certificate } from 'node:crypto';
import type { Configuration } from '../../config/configuration.js';
import type { Clock, Log } from '../../core/ports.js';
import type { EndingFile, NamedFile } from '../../endorsements/files/material-files.js';
import type { TlsMaterial } from '../../http/listener.js';
import { endingSoon } from '../../policy/appraise/waivers.js';
import type { EndingFigures } from '../../telemetry/metrics.js';
import type { EndingReceiptKey } from '../reload/receipt-keys.js';
import { namedTenant, type TenantPolicy } from '../reload/tenant-policies.js';
import { crlOf, pemCertificates } from '../tls-material.js';
import { logWarnings } from './load-warnings.js';

const DAY_MS = 24 * 60 * 60 * 1000;

export interface EndingSources {
  /** The callers now in force. */
  readonly callers: () => Configuration['callers'];
  readonly tls: () => TlsMaterial | null;
  /** Of the management listener. */
  readonly managementTls: () => Pick<TlsMaterial, 'cert'> | null;
  readonly policies: () => readonly TenantPolicy[];
  /** Certificates of `tpm.intermediates`, in DER, by the names of their files. */
  readonly akIssuers: () => readonly NamedFile[];
  /** CRLs of `amd.chains` and collateral of `intel.collateral`, as used at `at`. */
  readonly endorsements: (at: Date) => readonly EndingFile[];
  /** Keys in vaults that sign receipts. */
  readonly receiptKeys: () => readonly EndingReceiptKey[];
}

interface WatchedSources extends EndingSources {
  readonly clock: Pick<Clock, 'now'>;
  readonly log: Log;
}

interface EndingCertificate {
  /** The configuration key that names the file of a listener; the file name for `tpm.intermediates`. */
  readonly file: string;
  readonly subject: string;
  readonly expires: string;
}

interface EndingCrl {
  readonly file: 'listen.tls.clientCrl';
  /** Common name of its issuer; null if it has none. */
  readonly issuer: string | null;
  readonly expires: string;
}

interface EndingApiKey {
  readonly caller: string;
  /** `next`: the successor. */
  readonly key: 'current' | 'next';
  readonly expires: string;
}

type EndingWaiver = ReturnType<typeof waiversOf>[number];

/** The fields of a warning. */
export type EndingFields = EndingApiKey | EndingCertificate | EndingCrl | EndingFile | EndingReceiptKey | EndingWaiver;

type EndingGroup = 'access' | 'akIssuers' | 'endorsements' | 'receiptKeys' | 'waivers';

/** Objects of one kind, and the texts of the warnings about expired objects and objects that expire soon. */
interface EndingKind {
  /** Kinds of one group are reloaded together. */
  readonly group: EndingGroup;
  readonly of: (sources: EndingSources, at: Date) => readonly EndingFields[];
  readonly what: string;
  readonly effect: string;
  readonly where?: string;
  /** Lead time of the warning in days, if it is not the usual one. */
  readonly noticeDays?: number;
}

const KINDS: readonly EndingKind[] = [
  { group: 'access', of: apiKeysOf, what: 'an API key', effect: 'requests with it are rejected' },
  { group: 'access', of: ofListeners, what: 'a certificate of the listener', effect: 'connections with it fail' },
  { group: 'access', of: clientCrls, what: 'a CRL of client certificates', effect: 'no client of its CA can connect' },
  { group: 'akIssuers', of: issuersOf, what: 'an issuer of AK certificates', effect: 'chains with it fail today' },
  {
    group: 'endorsements',
    of: ({ endorsements }, at) => endorsements(at).filter(({ key }) => key === 'amd.chains'),
    what: 'a CRL',
    effect: 'without a newer one, checks that need it are crl_stale',
  },
  {
    group: 'endorsements',
    of: ({ endorsements }, at) => endorsements(at).filter(({ key }) => key === 'intel.collateral'),
    what: 'TDX collateral',
    effect: 'without newer collateral, TDs of this kind are judged by older collateral, or collateral_stale',
    // New collateral is valid for 30 days.
    noticeDays: 7,
  },
  {
    group: 'receiptKeys',
    of: ({ receiptKeys }) => receiptKeys(),
    what: 'a key of receipts',
    where: ' in its vault',
    effect: 'it signs nothing',
  },
  { group: 'waivers', of: waiversOf, what: 'a waiver', effect: 'it covers nothing any more' },
];

/**
 * The warnings about everything that has expired at a time, or expires soon.
 * @param groups which kinds; all if empty
 */
export function expiring(sources: EndingSources, at: Date, groups: readonly EndingGroup[]) {
  const kinds = KINDS.filter(({ group }) => groups.length === 0 || groups.includes(group));
  return kinds.flatMap(({ of, what, where = '', effect, noticeDays }) =>
    endingSoon(of(sources, at), at, noticeDays).map(({ hasEnded, ...fields }) => {
      return { fields, message: hasEnded ? `${what} has expired${where}: ${effect}` : `${what} expires soon${where}` };
    }),
  );
}

/**
 * Watches objects that expire on a date:
 * - API keys, certificates and CRLs of the listeners
 * - waivers
 * - issuers of attestation keys
 * - keys in vaults that sign receipts
 * - CRLs and collateral in folders
 *
 * After the expiry, callers are refused, or decisions change. Objects that have expired, or expire within 30 days
 * (collateral: 7), are logged at start, at each reload, and once a day. Metrics show the expiry of each. Issuers have
 * no expiry metric: an expired one may be kept for past verification times. Keys in vaults have none: vaults report
 * their expiry.
 */
export class Endings {
  readonly #sources: WatchedSources;
  #timer: NodeJS.Timeout | null = null;

  constructor(sources: WatchedSources) {
    this.#sources = sources;
  }

  /** Warns once a day from now on. Does not keep the process alive. */
  watch(): void {
    this.#timer ??= setInterval(() => this.warn(), DAY_MS).unref();
  }

  async close(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
  }

  /** Logs a warning for each item that has expired or expires soon. @param groups which kinds; defaults to all */
  warn(...groups: readonly EndingGroup[]): void {
    const { clock, log } = this.#sources;
    logWarnings(expiring(this.#sources, clock.now(), groups), log);
  }

  /** Logs a warning for each waiver of the policies of a tenant that has expired or expires soon. */
  warnOfWaivers(tenant: string): void {
    const { clock, log } = this.#sources;
    const policies = () => this.#sources.policies().filter((each) => each.tenant === tenant);
    logWarnings(expiring({ ...this.#sources, policies }, clock.now(), ['waivers']), log);
  }

  /** Seconds until each expires; negative after the expiry. */
  get figures(): EndingFigures {
    const sources = this.#sources;
    const now = sources.clock.now();
    const secondsUntil = (end: string) => Math.round((Date.parse(end) - now.getTime()) / 1000);
    return {
      apiKeys: apiKeysOf(sources).map(({ expires, ...labels }) => ({ ...labels, seconds: secondsUntil(expires) })),
      certificates: [...ofListeners(sources), ...clientCrls(sources)].map(({ file, expires }) => ({
        file,
        seconds: secondsUntil(expires),
      })),
      endorsements: sources
        .endorsements(now)
        .map(({ key, file, expires }) => ({ key, file, seconds: secondsUntil(expires) })),
      waivers: sources.policies().flatMap(({ tenant, policy: { id, waivers } }) =>
        waivers.map(({ check, expires }, index) => ({
          tenant,
          policy: id,
          waiver: index,
          check,
          seconds: secondsUntil(expires),
        })),
      ),
    };
  }
}

function ofListeners({ tls, managementTls }: EndingSources): readonly EndingCertificate[] {
  const server = tls();
  return [
    ...certificatesOf('listen.tls.cert', server?.cert),
    ...certificatesOf('listen.tls.clientCa', server?.clientCa),
    ...certificatesOf('listen.management.tls.cert', managementTls()?.cert),
  ];
}

function clientCrls({ tls }: EndingSources): readonly EndingCrl[] {
  return (tls()?.clientCrl ?? []).flatMap(crlEnding);
}

function apiKeysOf({ callers }: EndingSources): readonly EndingApiKey[] {
  return Object.entries(callers()).flatMap(([caller, { expires, next }]) => [
    ...(expires === null ? [] : [{ caller, key: 'current', expires } as const]),
    ...(next === null ? [] : [{ caller, key: 'next', expires: next.expires } as const]),
  ]);
}

function issuersOf({ akIssuers }: EndingSources): readonly EndingCertificate[] {
  return akIssuers().flatMap(({ name, bytes }) => endingOf(name, bytes));
}

function waiversOf({ policies }: EndingSources) {
  return policies().flatMap(({ tenant, policy: { id, waivers } }) =>
    waivers.map(({ check, approver, expires }, index) => {
      const pointer = `/waivers/${index}`;
      return { ...namedTenant(tenant), policy: id, pointer, check, approver, expires };
    }),
  );
}

function certificatesOf(file: string, pem: string | null | undefined): readonly EndingCertificate[] {
  return pemCertificates(pem ?? '').flatMap((text) => endingOf(file, text));
}

/** A CRL without nextUpdate does not expire. */
function crlEnding(pem: string): readonly EndingCrl[] {
  const { issuer, nextUpdate } = crlOf(pem);
  if (nextUpdate === null) return [];
  return [{ file: 'listen.tls.clientCrl', issuer: issuer.commonName, expires: nextUpdate.toISOString() }];
}

/** Ignores text that TLS ignores in a file, such as a commented block. */
function endingOf(file: string, certificate: string | Uint8Array): readonly EndingCertificate[] {
  try {
    const { subject, validTo } = new X509Certificate(certificate);
    return [{ file, subject: subject.replaceAll('\n', ', '), expires: new Date(validTo).toISOString() }];
  } catch {
    return [];
  }
}
