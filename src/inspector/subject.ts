import { base64 } from '../core/bytes.js';
import { type JsonObject, memberOf } from '../core/json.js';
import type { NonceBy } from './chain-of-trust.js';
import type { Example, ListedExample, ShownExample } from './example.js';
import { fetchEndorsements } from './fetched-endorsements.js';
import { type GivenReceipt, receiptAlone, receiptOfAnswer } from './given-receipt.js';
import { type HardwareVerdict, type Subtle, verifyHardware } from './hardware-signature.js';
import { foundOf, type Intake, requestFor } from './intake.js';
import { asAnswer } from './recorded-decision.js';
import { type Decision, type RecordedDecision, type Service, ServiceFault } from './service.js';
import { type FoundBytes, findBytes } from './structures.js';

/** The evidence on the page, in the only copy that the page keeps. */
export interface Subject {
  readonly found: readonly FoundBytes[];
  /** The body for the service; null if it cannot be verified alone. */
  readonly body: JsonObject | null;
  readonly hardware: HardwareVerdict | null;
  readonly decision: Decision | null;
  readonly fault: ServiceFault | null;
  readonly receipt: GivenReceipt | null;
  /** The recorded decision, if it comes from the log. */
  readonly recorded: RecordedDecision | null;
  /** The origin of the nonce of the decision. */
  readonly nonceBy: NonceBy;
  /** The shown example; null if it is not one. */
  readonly example: ShownExample | null;
}

export const NOTHING: Subject = {
  found: [],
  body: null,
  hardware: null,
  decision: null,
  fault: null,
  receipt: null,
  recorded: null,
  nonceBy: 'caller',
  example: null,
};

/** Inputs of the user for the decision. Empty: the value of the request, or the default of the service. */
export interface Options {
  readonly policy: string;
  readonly nonce: string;
  readonly audience: string;
}

/** The kinds of subjects. */
export type Looked = Exclude<Intake, { kind: 'unknown' | 'key-set' }>;

type AskedService = Pick<Service, 'origin' | 'verify' | 'decision' | 'example' | 'endorsement' | 'issuer'>;

/** The dependencies of the page. */
export interface Means {
  /** Null if the page has no service. */
  readonly service: AskedService | null;
  readonly subtle: Subtle;
}

/**
 * Reads the input, verifies it in the browser as far as possible, and calls the service.
 *
 * @throws {Error} for the id of a decision, if there is no service
 */
export async function look(intake: Looked, options: Options, means: Means): Promise<Subject> {
  if (intake.kind === 'decision') return lookUp(intake.id, means.service);
  if (intake.kind === 'receipt') {
    const receipt = await receiptAlone(intake.receipt, options, means.service);
    return { ...NOTHING, found: [intake.found], receipt };
  }
  const found = foundOf(intake) ?? [];
  const body = intake.kind === 'request' ? intake.body : requestFor(intake.found, intake.token, toBase64Url);
  const read = { ...NOTHING, found, body, hardware: await verifyHardware(found, means.subtle) };
  return means.service === null || body === null
    ? read
    : judge({ ...read, body }, options, means.service, means.subtle);
}

/** Shows a recording, without a call for verification. */
export async function lookAtExample({ path }: ListedExample, service: AskedService, subtle: Subtle): Promise<Subject> {
  const example = (await service.example(path)) as unknown as Example;
  const found = findBytes(example.body);
  const hardware = await verifyHardware(found, subtle);
  const { body, answer: decision } = example;
  const shown = { example, state: 'recorded' } as const;
  return { ...NOTHING, found, body, hardware, decision, nonceBy: nonceByOf(body, ''), example: shown };
}

/** A recorded decision from the log. */
async function lookUp(id: string, service: AskedService | null): Promise<Subject> {
  if (service === null) throw new Error('A recorded decision is asked of a service, and this page has none.');
  try {
    const recorded = await service.decision(id);
    return { ...NOTHING, recorded, decision: asAnswer(recorded), nonceBy: 'unknown' };
  } catch (error) {
    return { ...NOTHING, fault: faultIn(error) };
  }
}

/** @param read the structures, as read and verified in the browser */
async function judge(
  read: Subject & { readonly body: JsonObject },
  options: Options,
  service: AskedService,
  subtle: Subtle,
): Promise<Subject> {
  const asked = withOptions(read.body, options);
  const { decision, fault } = await judged(asked, service);
  const receipt = await receiptOfAnswer(decision, read.body, options, service);
  const nonceBy = nonceByOf(read.body, options.nonce);
  const completed = await complete(read, decision, service, subtle);
  return { ...read, body: asked, decision, fault, receipt, nonceBy, ...completed };
}

async function judged(body: JsonObject, service: AskedService): Promise<Pick<Subject, 'decision' | 'fault'>> {
  try {
    return { decision: await service.verify(body), fault: null };
  } catch (error) {
    return { decision: null, fault: faultIn(error) };
  }
}

/** Any other error is a fault of the page, which is not shown as one of the service. */
function faultIn(error: unknown): ServiceFault {
  if (error instanceof ServiceFault) return error;
  throw error;
}

/**
 * Verifies again with the certificates from the service, if those of the evidence were not sufficient. The service stores none for a
 * historical request.
 */
async function complete(
  { found, hardware }: Pick<Subject, 'found' | 'hardware'>,
  decision: Decision | null,
  service: AskedService,
  subtle: Subtle,
): Promise<Pick<Subject, 'found' | 'hardware'>> {
  if (hardware?.state !== 'open' || decision === null || decision.historical || subtle === null)
    return { found, hardware };
  const fetched = await fetchEndorsements(decision, service, subtle);
  if (fetched.state === 'failed') return { found, hardware: fetched.verdict };
  const all = [...found, ...fetched.found];
  return { found: all, hardware: await verifyHardware(all, subtle) };
}

/** @param filledIn empty: no input */
function nonceByOf(body: JsonObject, filledIn: string): NonceBy {
  return filledIn === '' && memberOf(body, 'nonce') !== undefined ? 'body' : 'caller';
}

/** Inputs of the user replace values of the body. */
function withOptions(body: JsonObject, { policy, nonce, audience }: Options): JsonObject {
  const given = Object.entries({ policy, nonce, audience }).filter(([, value]) => value !== '');
  return { ...body, ...Object.fromEntries(given) };
}

const toBase64Url = (bytes: Uint8Array) => base64(bytes, 'base64url');
