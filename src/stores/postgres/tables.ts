/** Some tables, and the privileges of the service role. The service may never delete a record, nor alter a table. */
export interface Tables {
  /** Statements, separated by semicolons. Names without a schema are in the schema of the service. */
  readonly create: string;
  /** Privileges and object of a GRANT statement, such as `SELECT, INSERT ON records`. */
  readonly grants: readonly string[];
}
