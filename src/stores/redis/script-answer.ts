/** What a script answers with: a word, and texts that belong to it. Nil is null. */
export type ScriptAnswer = readonly (string | null)[];

/** @throws {Error} where it is something else */
export function scriptAnswer(reply: unknown): ScriptAnswer {
  const isText = (item: unknown) => item === null || typeof item === 'string';
  if (!Array.isArray(reply) || !reply.every(isText)) throw unexpectedAnswer(null);
  return reply;
}

export function unexpectedAnswer(word: string | null | undefined): Error {
  return new Error(`the store answers with ${word ?? 'something else than a script does'}`);
}
