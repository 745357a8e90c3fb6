import { PoolError } from '../../databases/connection-pool.ts';
import type { ConfigElement } from '../../grammar/element.ts';
import type { ArtifactReader } from '../../grammar/reader.ts';
import { causeChain } from '../../mediation/fault.ts';
import { MediationError } from '../../message/errors.ts';
import type { MessageContext } from '../../message/message-context.ts';
import { ConnectParameterError } from '../../stores/sql/data-source.ts';
import { SqlConnectError, type SqlOutcome, type SqlParameter, type SqlSession } from '../../stores/sql/driver.ts';
import { parameterCount, splitStatements, withoutJdbcEscape } from '../../stores/sql/statement-text.ts';
import type { DatabaseConnection } from './db-connection.ts';
import { type ParameterValue, readDbParameter } from './db-parameter.ts';

/** A `<result>`: the property that a column of the first row goes to. */
export interface DbResult {
  readonly property: string;
  /** Counts from 1. */
  readonly column: string | number;
}

/** A `<statement>` of dblookup or dbreport. */
export interface DbStatement {
  /** As written, for errors. */
  readonly sql: string;
  /** One after the other, each with its share of the parameters. */
  readonly parts: ReadonlyArray<{ readonly sql: string; readonly count: number }>;
  readonly parameters: readonly ParameterValue[];
  readonly results: readonly DbResult[];
}

/** Reads all statements of a mediator; undefined after an error. */
export function readDbStatements(
  parent: ConfigElement,
  kind: 'lookup' | 'report',
  reader: ArtifactReader,
): readonly DbStatement[] | undefined {
  const elements = parent.childrenNamed('statement');
  if (elements.length === 0) reader.warning(parent, `<${parent.name}> has no statements and does nothing`);
  const read = elements.map((element) => readStatement(element, kind, reader));
  const statements = read.filter((statement) => statement !== undefined);
  return statements.length === read.length ? statements : undefined;
}

function readStatement(
  element: ConfigElement,
  kind: 'lookup' | 'report',
  reader: ArtifactReader,
): DbStatement | undefined {
  reader.warnUnknownChildren(element, ['sql', 'parameter', ...(kind === 'lookup' ? ['result'] : [])]);
  const sql = element.child('sql')?.text.trim() ?? '';
  if (sql === '') {
    reader.error(element, 'a statement needs an SQL text', { expected: '<sql>…</sql>' });
    return undefined;
  }
  const written = element.childrenNamed('parameter');
  const parameters = written.map((child, index) => readDbParameter(child, index + 1, reader));
  const results = kind === 'lookup' ? element.childrenNamed('result').map((child) => readResult(child, reader)) : [];
  const parts = splitStatements(withoutJdbcEscape(sql)).map((part) => ({ sql: part, count: parameterCount(part) }));
  const places = parts.reduce((sum, { count }) => sum + count, 0);
  if (places !== written.length) {
    reader.warning(element, `the statement has ${places} places for values, and ${written.length} parameters`);
  }
  if ([...parameters, ...results].includes(undefined)) return undefined;
  return { sql, parts, parameters: parameters as ParameterValue[], results: results as DbResult[] };
}

function readResult(element: ConfigElement, reader: ArtifactReader): DbResult | undefined {
  const property = element.attribute('name')?.trim();
  const column = element.attribute('column')?.trim();
  if (property && column) return { property, column: /^\d{1,4}$/.test(column) ? Number(column) : column };
  reader.error(element, 'Invalid result element found missing either name and column [DBLookup] mediator', {
    expected: '<result name="property" column="name or number"/>',
  });
  return undefined;
}

/**
 * Runs a statement for a message.
 * @throws MediationError naming statement and database
 */
export async function runDbStatement(
  statement: DbStatement,
  { connection, joins }: { readonly connection: DatabaseConnection; readonly joins: boolean },
  message: MessageContext,
): Promise<SqlOutcome> {
  const values = statement.parameters.map((value) => value(message));
  const { databases } = message.configuration.services;
  try {
    const pool = databases.pool(connection.reference(message), connection.settings);
    const run = (session: SqlSession) => runParts(statement, values, session);
    const transaction = joins ? databases.transactionOf(message) : undefined;
    return await (transaction ? transaction.use(pool, run) : pool.use(run));
  } catch (cause) {
    if (cause instanceof MediationError) throw cause;
    throw new MediationError(failureText(cause, statement, connection), { cause });
  }
}

function failureText(cause: unknown, { sql }: DbStatement, { name }: DatabaseConnection): string {
  const reason = causeChain(cause);
  if (cause instanceof ConnectParameterError) return reason;
  if (cause instanceof PoolError || cause instanceof SqlConnectError) {
    return `Connection from DataSource ${name} is null. ${reason}`;
  }
  const text = sql.replace(/\s+/g, ' ');
  return `SQL Exception occurred while executing statement : ${text} against DataSource : ${name}: ${reason}`;
}

async function runParts(
  { parts }: DbStatement,
  values: readonly SqlParameter[],
  session: SqlSession,
): Promise<SqlOutcome> {
  let outcome: SqlOutcome = { columns: [], firstRow: undefined, changed: 0 };
  let from = 0;
  for (const [index, { sql, count }] of parts.entries()) {
    // The last one gets whatever there is, so that the database says what is wrong with it.
    const to = index === parts.length - 1 ? values.length : from + count;
    outcome = await session.execute(sql, values.slice(from, to));
    from = to;
  }
  return outcome;
}
