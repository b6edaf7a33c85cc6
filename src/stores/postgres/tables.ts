/** Some tables, and what the role of the service may do with them. It may never delete a record, nor change a table. */
export interface Tables {
  /** Statements, separated by semicolons. Names without a schema are of ours. */
  readonly create: string;
  /** Privileges and object of a GRANT statement, such as `SELECT, INSERT ON records`. */
  readonly grants: readonly string[];
}
