import { failureOf, type TransferredFailure, thrownBy } from './transferred-failure.js';

/** What a process answers another one, by the name of the call: functions of one argument or none. */
export type Answers<T> = { readonly [Name in keyof T]: (argument: never) => Promise<unknown> };

type Message =
  | { readonly call: number; readonly name: string; readonly argument: unknown }
  | { readonly answer: number; readonly value: unknown }
  | { readonly answer: number; readonly failure: TransferredFailure };

interface Waiting {
  readonly resolve: (value: never) => void;
  readonly reject: (error: Error) => void;
}

/** The other process is gone. */
export class CallEndedError extends Error {
  override readonly name = 'CallEndedError';
}

/** It is there, and has not answered in time. */
export class CallTooLongError extends Error {
  override readonly name = 'CallTooLongError';
}

/**
 * Calls between two processes over a channel that keeps the order of messages. Both ends have one. Values are copied as the
 * structured clone algorithm does; of what a handler throws, the other end gets its kind, code and message.
 *
 * @typeParam Theirs what the other end answers
 * @typeParam Own what this end answers
 */
export class Calls<Theirs extends Answers<Theirs>, Own extends Answers<Own>> {
  readonly #send: (message: Message) => void;
  readonly #handlers: Own;
  readonly #waiting = new Map<number, Waiting>();
  #next = 0;
  #ended: CallEndedError | null = null;

  /** @param send must not throw where the channel is closed */
  constructor(send: (message: object) => void, handlers: Own) {
    this.#send = send;
    this.#handlers = handlers;
  }

  /**
   * @throws {CallEndedError} once the other end is gone
   * @throws {Error} what its handler threw
   */
  call<Name extends string & keyof Theirs>(
    name: Name,
    ...given: Parameters<Theirs[Name]>
  ): Promise<Awaited<ReturnType<Theirs[Name]>>> {
    if (this.#ended !== null) return Promise.reject(this.#ended);
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#send({ call: id, name, argument: given[0] ?? null });
    });
  }

  /** Takes a message of the other end. What is none of its is passed over. */
  receive(message: unknown): void {
    if (typeof message !== 'object' || message === null) return;
    if ('call' in message) void this.#answer(message as Extract<Message, { call: number }>);
    else if ('answer' in message) this.#settle(message as Extract<Message, { answer: number }>);
  }

  /** The other end is gone: whoever waits for it hears of it. */
  end(why: string): void {
    this.#ended ??= new CallEndedError(why);
    for (const { reject } of this.#waiting.values()) reject(this.#ended);
    this.#waiting.clear();
  }

  async #answer({ call: id, name, argument }: Extract<Message, { call: number }>): Promise<void> {
    const handler = Object.hasOwn(this.#handlers, name) ? this.#handlers[name as keyof Own] : undefined;
    try {
      if (handler === undefined) throw new Error(`nothing answers ${name}`);
      this.#send({ answer: id, value: await handler(argument as never) });
    } catch (error) {
      this.#send({ answer: id, failure: failureOf(error) });
    }
  }

  #settle(message: Extract<Message, { answer: number }>): void {
    const waiting = this.#waiting.get(message.answer);
    if (waiting === undefined) return;
    this.#waiting.delete(message.answer);
    if ('value' in message) waiting.resolve(message.value as never);
    else waiting.reject(thrownBy(message.failure));
  }
}

/** Work that may take no longer. @throws {CallTooLongError} where it does */
export async function withinMs<T>(milliseconds: number, what: string, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new CallTooLongError(`${what} took over ${milliseconds} ms`)), milliseconds);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
