import { X509Certificate } from 'node:crypto';
import type { Configuration } from '../../config/configuration.js';
import type { Clock, Log } from '../../core/ports.js';
import type { EndingFile, NamedFile } from '../../endorsements/files/material-files.js';
import type { TlsMaterial } from '../../http/listener.js';
import { endingSoon, endingWaivers } from '../../policy/appraise/waivers.js';
import type { EndingFigures } from '../../telemetry/metrics.js';
import type { EndingReceiptKey } from '../reload/receipt-keys.js';
import { namedTenant, type TenantPolicy } from '../reload/tenant-policies.js';
import { crlOf, pemCertificates } from '../tls-material.js';

const DAY_MS = 24 * 60 * 60 * 1000;

export interface EndingSources {
  /** As they are in force now. */
  readonly callers: () => Configuration['callers'];
  readonly tls: () => TlsMaterial | null;
  /** Of the management listener. */
  readonly managementTls: () => Pick<TlsMaterial, 'cert'> | null;
  readonly policies: () => readonly TenantPolicy[];
  /** Certificates of `tpm.intermediates`, in DER, by the names of their files. */
  readonly akIssuers: () => readonly NamedFile[];
  /** CRLs of `amd.chains` and collateral of `intel.collateral`, as they are used at `at`. */
  readonly endorsements: (at: Date) => readonly EndingFile[];
  /** Keys of vaults that sign receipts. */
  readonly receiptKeys: () => readonly EndingReceiptKey[];
  readonly clock: Pick<Clock, 'now'>;
  readonly log: Log;
}

interface EndingCertificate {
  /** Of a listener the key of the configuration that names its file, of `tpm.intermediates` the file itself. */
  readonly file: string;
  readonly subject: string;
  readonly expires: string;
}

interface EndingCrl {
  readonly file: 'listen.tls.clientCrl';
  /** Common name of its issuer; null where it has none. */
  readonly issuer: string | null;
  readonly expires: string;
}

interface EndingApiKey {
  readonly caller: string;
  /** `next`: the successor. */
  readonly key: 'current' | 'next';
  readonly expires: string;
}

/**
 * The name of each folder's material, the effect of its expiry, and the lead time of the warning. Collateral
 * lasts 30 days when it is new.
 */
const ENDORSEMENTS = {
  'amd.chains': { what: 'a CRL', otherwise: 'without a newer one, checks that need it are crl_stale', noticeDays: 30 },
  'intel.collateral': {
    what: 'TDX collateral',
    otherwise: 'without newer collateral, TDs of this kind are judged by older collateral, or collateral_stale',
    noticeDays: 7,
  },
} as const satisfies { readonly [key in EndingFile['key']]: object };

/**
 * API keys, certificates of the listener, waivers, issuers of attestation keys, keys of vaults that sign receipts, and CRLs
 * and collateral in folders, which end on a date: callers are then refused, or decisions change. Those that have ended or end within 30 days (collateral: 7) are
 * logged at start, whenever they are reloaded, and once a day; metrics show when each of them ends. Issuers have no expiry
 * metric: one that has ended may be kept for verification times in the past. Keys of vaults have none: vaults tell of them.
 */
export class Endings {
  readonly #sources: EndingSources;
  #timer: NodeJS.Timeout | null = null;

  constructor(sources: EndingSources) {
    this.#sources = sources;
  }

  /** Looks once a day from now on. Does not keep the process alive. */
  watch(): void {
    this.#timer ??= setInterval(() => {
      this.warnOfAccess();
      this.warnOfWaivers();
      this.warnOfAkIssuers();
      this.warnOfEndorsements();
      this.warnOfReceiptKeys();
    }, DAY_MS).unref();
  }

  async close(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
  }

  /** Of API keys, and of certificates and CRLs of the listener, which are read together. */
  warnOfAccess(): void {
    const { clock, log } = this.#sources;
    for (const { hasEnded, ...fields } of endingSoon(this.#apiKeys(), clock.now())) {
      if (hasEnded) log.warn(fields, 'an API key has expired: whoever sends it is refused');
      else log.warn(fields, 'an API key expires soon');
    }
    for (const { hasEnded, ...fields } of endingSoon(this.#certificates(), clock.now())) {
      if (hasEnded) log.warn(fields, 'a certificate of the listener has expired: connections with it fail');
      else log.warn(fields, 'a certificate of the listener expires soon');
    }
    for (const { hasEnded, ...fields } of endingSoon(this.#clientCrls(), clock.now())) {
      if (hasEnded) log.warn(fields, 'a CRL of client certificates has expired: no client of its CA can connect');
      else log.warn(fields, 'a CRL of client certificates expires soon');
    }
  }

  warnOfAkIssuers(): void {
    const { akIssuers, clock, log } = this.#sources;
    const certificates = akIssuers().flatMap(({ name, bytes }) => endingOf(name, bytes));
    for (const { hasEnded, ...fields } of endingSoon(certificates, clock.now())) {
      if (hasEnded) log.warn(fields, 'an issuer of AK certificates has expired: chains with it fail today');
      else log.warn(fields, 'an issuer of AK certificates expires soon');
    }
  }

  warnOfEndorsements(): void {
    const { endorsements, clock, log } = this.#sources;
    for (const file of endorsements(clock.now())) {
      const { what, otherwise, noticeDays } = ENDORSEMENTS[file.key];
      for (const { hasEnded, ...fields } of endingSoon([file], clock.now(), noticeDays)) {
        if (hasEnded) log.warn(fields, `${what} has expired: ${otherwise}`);
        else log.warn(fields, `${what} expires soon`);
      }
    }
  }

  warnOfReceiptKeys(): void {
    const { receiptKeys, clock, log } = this.#sources;
    for (const { hasEnded, ...fields } of endingSoon(receiptKeys(), clock.now())) {
      if (hasEnded) log.warn(fields, 'a key of receipts has expired in its vault: it signs nothing');
      else log.warn(fields, 'a key of receipts expires soon in its vault');
    }
  }

  warnOfWaivers(): void {
    const { policies, clock, log } = this.#sources;
    for (const { tenant, policy } of policies()) {
      for (const { hasEnded, ...waiver } of endingWaivers([policy], clock.now())) {
        const fields = { ...namedTenant(tenant), ...waiver };
        if (hasEnded) log.warn(fields, 'a waiver has expired: it covers nothing any more');
        else log.warn(fields, 'a waiver expires soon');
      }
    }
  }

  /** Seconds until each ends, less than zero once it has. */
  get figures(): EndingFigures {
    const { policies, endorsements, clock } = this.#sources;
    const now = clock.now();
    const secondsUntil = (end: string) => Math.round((Date.parse(end) - now.getTime()) / 1000);
    return {
      apiKeys: this.#apiKeys().map(({ expires, ...labels }) => ({ ...labels, seconds: secondsUntil(expires) })),
      certificates: [...this.#certificates(), ...this.#clientCrls()].map(({ file, expires }) => ({
        file,
        seconds: secondsUntil(expires),
      })),
      endorsements: endorsements(now).map(({ key, file, expires }) => ({ key, file, seconds: secondsUntil(expires) })),
      waivers: policies().flatMap(({ tenant, policy: { id, waivers } }) =>
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

  #certificates(): readonly EndingCertificate[] {
    const tls = this.#sources.tls();
    return [
      ...certificatesOf('listen.tls.cert', tls?.cert),
      ...certificatesOf('listen.tls.clientCa', tls?.clientCa),
      ...certificatesOf('listen.management.tls.cert', this.#sources.managementTls()?.cert),
    ];
  }

  #clientCrls(): readonly EndingCrl[] {
    return (this.#sources.tls()?.clientCrl ?? []).flatMap(crlEnding);
  }

  #apiKeys(): readonly EndingApiKey[] {
    return Object.entries(this.#sources.callers()).flatMap(([caller, { expires, next }]) => [
      ...(expires === null ? [] : [{ caller, key: 'current', expires } as const]),
      ...(next === null ? [] : [{ caller, key: 'next', expires: next.expires } as const]),
    ]);
  }
}

function certificatesOf(file: string, pem: string | null | undefined): readonly EndingCertificate[] {
  return pemCertificates(pem ?? '').flatMap((text) => endingOf(file, text));
}

/** One that does not say until when it holds does not end. */
function crlEnding(pem: string): readonly EndingCrl[] {
  const { issuer, nextUpdate } = crlOf(pem);
  if (nextUpdate === null) return [];
  return [{ file: 'listen.tls.clientCrl', issuer: issuer.commonName, expires: nextUpdate.toISOString() }];
}

/** Text that TLS ignores in a file, such as a commented block, does not expire. */
function endingOf(file: string, certificate: string | Uint8Array): readonly EndingCertificate[] {
  try {
    const { subject, validTo } = new X509Certificate(certificate);
    return [{ file, subject: subject.replaceAll('\n', ', '), expires: new Date(validTo).toISOString() }];
  } catch {
    return [];
  }
}
