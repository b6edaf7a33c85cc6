import type { JsonObject, JsonValue } from '../../src/core/json.js';

/** A mistake that people make, and exactly what they are told. */
export interface Mistake<Action, Answer> {
  /** The mistake, as the page of messages lists it. */
  readonly title: string;
  /** The input, in one line; `…` stands for a part that is too long to show. */
  readonly given: string;
  readonly action: Action;
  readonly answer: Answer;
}

/** A call over HTTP. */
export interface HttpCall {
  /** POST where absent. */
  readonly method?: 'GET' | 'POST' | 'PUT';
  /** Path and query. */
  readonly target: string;
  /** Beside `content-type: application/json`, which a POST has unless it is named here; null leaves it out. */
  readonly headers?: Readonly<Record<string, string | null>>;
  /** Text and bytes are sent as they are, everything else as JSON. */
  readonly body?: JsonValue | Uint8Array;
}

/** The setting of the service that gets the call, and the needs of the call from the lab. */
export interface HttpAction {
  readonly call: HttpCall | ((evidence: LabEvidence) => Promise<HttpCall>);
  /** Members of the configuration beside the lab's. */
  readonly configuration?: Readonly<Record<string, unknown>>;
}

/** Genuine evidence of a VM of the lab, for mistakes that show only once it is judged. */
export interface LabEvidence {
  /** A body for /verify that is allowed, with a challenge of the service. */
  readonly body: () => Promise<JsonObject>;
  /** Posts a body to /verify: for what was asked before. */
  readonly verify: (body: JsonObject) => Promise<unknown>;
}

/** A problem document, all of whose telling members are given. */
export interface ProblemAnswer {
  readonly status: number;
  readonly code: string;
  /** Absent where the problem is not about a member of the body. */
  readonly pointer?: string;
  readonly detail: string;
}

/** A decision that is no allow, and the check that explains it. */
export interface DecisionAnswer {
  readonly decision: 'deny' | 'indeterminate';
  readonly check: {
    readonly id: string;
    readonly detail: string;
    readonly remedy: string;
    readonly expected?: JsonValue;
    readonly actual?: JsonValue;
  };
}

export type HttpMistake = Mistake<HttpAction, ProblemAnswer | DecisionAnswer>;

/** A command, run in a folder of its own. */
export interface CommandAction {
  /** Behind `veritee`. */
  readonly args: readonly string[];
  /** By name; null makes a folder. */
  readonly files?: Readonly<Record<string, string | Uint8Array | null>>;
  readonly environment?: Readonly<Record<string, string>>;
  /** Standard input. */
  readonly input?: string;
}

export interface CommandAnswer {
  readonly exitCode: number;
  /** All that is written to standard error, without the last line feed. Standard output stays empty. */
  readonly text: string;
}

/** A mistake on the command line, in a YAML file or in the environment: each shows when a command is run. */
export type CommandMistake = Mistake<CommandAction, CommandAnswer>;
