import type { Log } from './ports.js';

interface Messages {
  readonly begun: string;
  readonly over: string;
}

/** Logged faults: each is logged once, again after a change, and once when it ends. */
export class FaultLog {
  readonly #log: Log;
  readonly #messages: Messages;
  /** The last message about each subject. */
  readonly #logged = new Map<string, { readonly what: string; readonly place: object }>();

  constructor(log: Log, messages: Messages) {
    this.#log = log;
    this.#messages = messages;
  }

  /** @param place fields that say where; @param reason fields that say why */
  begun(subject: string, place: object, reason: { readonly why: string } | { readonly err: unknown }): void {
    const what = 'why' in reason ? reason.why : String(reason.err);
    if (this.#logged.get(subject)?.what === what) return;
    this.#logged.set(subject, { what, place });
    this.#log.error({ ...place, ...reason }, this.#messages.begun);
  }

  over(subject: string): void {
    const logged = this.#logged.get(subject);
    if (logged === undefined) return;
    this.#logged.delete(subject);
    this.#log.info(logged.place, this.#messages.over);
  }
}
