import { isIP, isIPv4 } from 'node:net';
import type { Setting } from './setting.js';
import { isRecord, single } from './setting.js';

const MAX_TEXT = 4096;

export function text(what = 'text'): Setting<string> {
  return single('text', `${what}, not empty`, (raw) => (isText(raw) ? raw : undefined));
}

/** Text of one form, kept as written. */
export function pattern(form: RegExp, what: string): Setting<string> {
  return single('text', what, (raw) => (isText(raw) && form.test(raw) ? raw : undefined));
}

/** Bytes of one length in hex, in either case; kept in lower case. */
export function hex(bytes: number): Setting<string> {
  const form = new RegExp(`^[0-9a-fA-F]{${2 * bytes}}$`);
  return single('text', `${bytes} bytes in hex`, (raw) =>
    isText(raw) && form.test(raw) ? raw.toLowerCase() : undefined,
  );
}

export function choice<const T extends string>(...words: readonly T[]): Setting<T> {
  return single('text', words.join(' or '), (raw) => words.find((word) => word === raw));
}

/** A path as written. Relative ones are relative to the working directory of the service. */
export function path(what = 'a path'): Setting<string> {
  return text(what);
}

export function flag(): Setting<boolean> {
  return single('json', 'true or false', (raw) => (typeof raw === 'boolean' ? raw : undefined));
}

export function integer(min: number, max: number): Setting<number> {
  return single('json', `a whole number from ${min} to ${max}`, (raw) =>
    Number.isInteger(raw) && isBetween(raw, min, max) ? raw : undefined,
  );
}

export function number(min: number, max: number): Setting<number> {
  return single('json', `a number from ${min} to ${max}`, (raw) => (isBetween(raw, min, max) ? raw : undefined));
}

/** An object whose members are read by what it is for, which this version does not have (availability.ts). */
export function opaque(): Setting<object> {
  return single('json', 'an object', (raw) => (isRecord(raw) ? raw : undefined));
}

/** Where signed material is fetched: what comes from there is verified by itself, so plain http is tolerated. */
export function source(): Setting<string> {
  return single('text', 'an http or https URL without user, query and fragment', (raw) =>
    isText(raw) && isPlainUrl(raw, ['http:', 'https:']) ? raw : undefined,
  );
}

/** A URL that trust rests on: https, or http on the loopback interface. */
export function trustedUrl(): Setting<string> {
  return single('text', 'an https URL without user, query and fragment', (raw) =>
    isText(raw) && isTrustedUrl(raw) ? raw : undefined,
  );
}

/** A trusted URL of scheme, host and port alone, written as an origin is. */
export function trustedOrigin(): Setting<string> {
  return single('text', 'an https URL without path', (raw) =>
    isText(raw) && isTrustedUrl(raw) && new URL(raw).origin === raw ? raw : undefined,
  );
}

/** A trusted URL, or a path. Text with `://` is always taken as a URL. */
export function trustedUrlOrFile(): Setting<string> {
  return single('text', 'an https URL or a path', (raw) =>
    isText(raw) && (!raw.includes('://') || isTrustedUrl(raw)) ? raw : undefined,
  );
}

/** An address, or a range in CIDR notation. A range of everything is refused: it would let any client name itself. */
export function addressRange(): Setting<string> {
  return single('text', 'an IP address or a range such as 10.0.0.0/8, and not every address', (raw) =>
    isText(raw) && isAddressRange(raw) ? raw : undefined,
  );
}

/** A day in UTC, kept as `YYYY-MM-DD`. */
export function day(): Setting<string> {
  return single('text', 'a date such as 2027-01-31', (raw) =>
    isText(raw) && /^\d{4}-\d{2}-\d{2}$/.test(raw) && isInCalendar(raw) ? raw : undefined,
  );
}

const INSTANT = /^\d{4}-\d{2}-\d{2}(T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,3})?Z)?$/;

/** A date (its first instant in UTC) or an instant in UTC, kept as ISO text: a Date could not be frozen. */
export function instant(): Setting<string> {
  return single('text', 'a date such as 2027-01-31, or with a time in UTC', (raw) => {
    if (!isText(raw) || !INSTANT.test(raw)) return undefined;
    return isInCalendar(raw) ? new Date(raw).toISOString() : undefined;
  });
}

/** Date turns 30 February into 2 March. */
function isInCalendar(raw: string): boolean {
  const read = new Date(raw);
  return !Number.isNaN(read.getTime()) && read.toISOString().slice(0, 10) === raw.slice(0, 10);
}

/** Whether a host to listen on is reachable from this machine only. Any spelling not listed here counts as not. */
export function isLoopbackHost(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'));
}

function isText(raw: unknown): raw is string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return typeof raw === 'string' && raw.length > 0 && raw.length <= MAX_TEXT && !/[\u0000-\u001f\u007f]/.test(raw);
}

function isBetween(raw: unknown, min: number, max: number): raw is number {
  return typeof raw === 'number' && raw >= min && raw <= max;
}

function isPlainUrl(raw: string, protocols: readonly string[]): boolean {
  if (!URL.canParse(raw) || /[?#\s\\]/.test(raw)) return false;
  const url = new URL(raw);
  return protocols.includes(url.protocol) && url.username === '' && url.password === '' && url.hostname !== '';
}

function isTrustedUrl(raw: string): boolean {
  if (isPlainUrl(raw, ['https:'])) return true;
  return isPlainUrl(raw, ['http:']) && isLoopbackHost(new URL(raw).hostname.replace(/^\[(.*)\]$/, '$1'));
}

function isAddressRange(raw: string): boolean {
  const [address = '', bits, ...rest] = raw.split('/');
  const family = isIP(address);
  if (family === 0 || rest.length > 0) return false;
  if (bits === undefined) return true;
  return /^[1-9]\d{0,2}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128);
}
