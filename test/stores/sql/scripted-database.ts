import {
  answered,
  runTransaction,
  SqlConnectError,
  type SqlConnection,
  SqlLostError,
  type SqlOutcome,
  type SqlRow,
  type SqlSession,
  type SqlValue,
} from '../../../src/stores/sql/driver.ts';

/** What a statement meets with: rows, an error, or no answer until `silence` ends. */
export type Reply = readonly SqlRow[] | Error;

/** A database whose answers the test decides on. It keeps what it was asked. */
export class ScriptedDatabase {
  readonly asked: string[] = [];
  readonly connections: ScriptedConnection[] = [];
  /** Whether it takes connections. */
  accepts = true;
  attempts = 0;
  /** The answer to a statement; default: no rows. */
  reply: (sql: string, values: readonly SqlValue[]) => Reply | Promise<Reply> = () => [];

  async connect(): Promise<SqlConnection> {
    this.attempts += 1;
    if (!this.accepts) throw new SqlConnectError('dropped', 'not now');
    const connection = new ScriptedConnection(this);
    this.connections.push(connection);
    return connection;
  }

  /** Ends all connections. */
  drop(): void {
    for (const connection of this.connections) connection.lose(new SqlLostError('dropped'));
  }
}

class ScriptedConnection implements SqlConnection {
  readonly server = 'Scripted';
  readonly cautions: readonly string[] = [];
  readonly ended: Promise<Error>;
  readonly #database: ScriptedDatabase;
  #lost: Error | undefined;
  #end: (error: Error) => void = () => undefined;

  constructor(database: ScriptedDatabase) {
    this.#database = database;
    this.ended = new Promise((resolve) => (this.#end = resolve));
  }

  lose(error: Error): void {
    this.#lost ??= error;
    this.#end(error);
  }

  async query(sql: string, values: readonly SqlValue[] = []): Promise<readonly SqlRow[]> {
    if (this.#lost) throw this.#lost;
    this.#database.asked.push(sql);
    const reply = await this.#database.reply(sql, values);
    if (reply instanceof SqlLostError) this.lose(reply);
    if (this.#lost) throw this.#lost;
    if (reply instanceof Error) throw reply;
    return reply as readonly SqlRow[];
  }

  async execute(): Promise<SqlOutcome> {
    throw new Error('no mediator asks it');
  }

  transaction<T>(work: (session: SqlSession) => Promise<T>): Promise<T> {
    return runTransaction(this, 'BEGIN', work);
  }

  atOnce(sql: string, values: readonly SqlValue[], onSent: () => void): Promise<void> {
    const answer = this.query(sql, values);
    onSent();
    return answered(answer);
  }

  async close(): Promise<void> {
    this.lose(new SqlLostError('closed'));
  }
}
