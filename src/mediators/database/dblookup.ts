import { text } from '../../grammar/attributes.ts';
import { mediator } from '../../mediation/component.ts';
import { MediationError } from '../../message/errors.ts';
import type { MessageContext } from '../../message/message-context.ts';
import type { SqlOutcome } from '../../stores/sql/driver.ts';
import { readDatabaseConnection } from './db-connection.ts';
import { type DbResult, type DbStatement, readDbStatements, runDbStatement } from './db-statement.ts';

/** Asks a database and keeps columns of the first row as properties (spec mediators 3.31). */
export const dblookup = mediator({
  element: 'dblookup',
  doc: 'Asks a database and keeps columns of the first row that it finds as properties.',
  attributes: {
    useTransaction: text({ doc: 'As in dbreport; a lookup is part of the transaction of its flow in any case.' }),
  },
  children: ['connection', 'statement'],
  compile({ element, reader }) {
    const connection = readDatabaseConnection(element, reader);
    const statements = readDbStatements(element, 'lookup', reader);
    if (!connection || !statements) return undefined;
    return async (message) => {
      for (const statement of statements) {
        // Where the flow is in a transaction, it sees what that has changed: two connections would wait for each other.
        const outcome = await runDbStatement(statement, { connection, joins: true }, message);
        keep(outcome, statement, message);
      }
      return true;
    };
  },
});

function keep({ columns, firstRow }: SqlOutcome, { results, sql }: DbStatement, message: MessageContext): void {
  if (!firstRow) return;
  for (const result of results) {
    const value = firstRow[indexOf(result, columns, sql)];
    // A property keeps what it was when the column is NULL (MREQ-46).
    if (value !== null && value !== undefined) message.properties.set(result.property, value);
  }
}

function indexOf({ column }: DbResult, columns: readonly string[], sql: string): number {
  const index =
    typeof column === 'number' ? column - 1 : columns.findIndex((name) => name.toLowerCase() === column.toLowerCase());
  if (index >= 0 && index < columns.length) return index;
  throw new MediationError(
    `SQL Exception occurred while executing statement : ${sql.replace(/\s+/g, ' ')}: there is no column ${column}; there are: ${columns.join(', ')}`,
  );
}
