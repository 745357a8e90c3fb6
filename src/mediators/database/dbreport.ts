import { text } from '../../grammar/attributes.ts';
import { mediator } from '../../mediation/component.ts';
import { TypedNumber } from '../../message/property-value.ts';
import { readDatabaseConnection } from './db-connection.ts';
import { readDbStatements, runDbStatement } from './db-statement.ts';

/** Changes a database (spec mediators 3.31). */
export const dbreport = mediator({
  element: 'dbreport',
  doc: 'Changes a database; the number of changed rows is in the property DBREPORT_MODIFIED_RAW_COUNT.',
  attributes: { useTransaction: text({ doc: 'Exactly `true`: as part of the transaction that the flow is in.' }) },
  children: ['connection', 'statement'],
  compile({ element, attributes, reader }) {
    const joins = attributes.useTransaction === 'true';
    const connection = readDatabaseConnection(element, reader);
    const statements = readDbStatements(element, 'report', reader);
    if (!connection || !statements) return undefined;
    return async (message) => {
      for (const statement of statements) {
        const { changed } = await runDbStatement(statement, { connection, joins }, message);
        message.properties.set('DBREPORT_MODIFIED_RAW_COUNT', new TypedNumber('INTEGER', changed));
      }
      return true;
    };
  },
});
