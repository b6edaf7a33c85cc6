/** A JSON value as read: objects have no prototype, so that no member name has a meaning of its own. */
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject;

/** A JSON object as read. */
export interface JsonObject {
  readonly [member: string]: JsonValue;
}
