import { messageStore } from './component.ts';
import { dedupMisfit } from './dedup/parameters.ts';
import { connectMisfit } from './sql/connect-parameters.ts';
import { MessageTable } from './sql/message-table.ts';
import { openSqlStore, SQL_STORE_PARAMETERS } from './sql/open-store.ts';

const TYPE = 'jdbc-message-store';

/** A message store in a table of PostgreSQL, MySQL, MariaDB or, embedded, SQLite (spec stores 2.4, REQ-09). */
export const jdbcStore = messageStore({
  type: TYPE,
  doc: 'Keeps messages in a table of a database. Several processors and several nodes may share it.',
  classes: ['org.apache.synapse.message.store.impl.jdbc.JDBCMessageStore'],
  parameters: SQL_STORE_PARAMETERS,
  misfit: ({ parameters, written }) => connectMisfit(parameters) ?? dedupMisfit(written),
  open: (opening) =>
    openSqlStore(opening, {
      type: TYPE,
      logName: 'JDBCMessageStore',
      table: (options) => new MessageTable(options),
    }),
});
