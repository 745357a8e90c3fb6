import type { SqlConnection, SqlSession } from '../../../src/stores/sql/driver.ts';

/** The same connection, on which something else happens once, right before a statement that has this in it. */
export function interrupted(connection: SqlConnection, at: string, happens: () => Promise<unknown>): SqlConnection {
  let happened = false;
  const watched = (session: SqlSession): SqlSession => ({
    execute: (sql, values) => session.execute(sql, values),
    async query(sql, values) {
      if (!happened && sql.includes(at)) {
        happened = true;
        await happens();
      }
      return session.query(sql, values);
    },
  });
  const { server, cautions, ended } = connection;
  return {
    ...watched(connection),
    server,
    cautions,
    ended,
    transaction: (work) => connection.transaction((session) => work(watched(session))),
    atOnce: (sql, values, onSent) => connection.atOnce(sql, values, onSent),
    close: () => connection.close(),
  };
}
