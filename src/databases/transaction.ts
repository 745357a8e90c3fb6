import type { SqlSession } from '../stores/sql/driver.ts';
import type { ConnectionPool } from './connection-pool.ts';

/** A transaction cannot be committed; nothing of it, or not all of it, has been done. */
export class CommitError extends Error {
  override readonly name = 'CommitError';
}

/** Ends the work inside a connection's transaction without an error of its own. */
class RolledBack extends Error {
  override readonly name = 'RolledBack';
}

/** The part of a transaction that one database has: a connection, in its transaction. */
class Branch {
  readonly session: SqlSession;
  readonly where: string;
  readonly #ending: PromiseWithResolvers<void>;
  readonly #done: Promise<void>;

  private constructor(session: SqlSession, where: string, ending: PromiseWithResolvers<void>, done: Promise<void>) {
    this.session = session;
    this.where = where;
    this.#ending = ending;
    this.#done = done;
  }

  /** @throws PoolError, SqlConnectError, SqlLostError */
  static async begin(pool: ConnectionPool): Promise<Branch> {
    const { connection, giveBack } = await pool.borrow();
    const begun = Promise.withResolvers<SqlSession>();
    const ending = Promise.withResolvers<void>();
    ending.promise.catch(() => undefined);
    const done = connection
      .transaction(async (session) => {
        // Theirs begin with a level of their own.
        if (pool.isolation !== undefined && pool.driver.dialect.name === 'PostgreSQL') {
          await session.query(`SET TRANSACTION ISOLATION LEVEL ${pool.isolation}`);
        }
        begun.resolve(session);
        await ending.promise;
      })
      .finally(giveBack);
    done.catch((error: unknown) => begun.reject(error));
    return new Branch(await begun.promise, pool.driver.where, ending, done);
  }

  commit(): Promise<void> {
    this.#ending.resolve();
    return this.#done;
  }

  async rollBack(): Promise<void> {
    this.#ending.reject(new RolledBack());
    try {
      await this.#done;
    } catch (error) {
      if (!(error instanceof RolledBack)) throw error;
    }
  }
}

/**
 * What several statements of one flow do together (spec mediators 3.41, transaction): one connection per database, from the first
 * statement there to the end. A statement that the database refuses leaves nothing but rolling back.
 *
 *     ACTIVE ──statement refused──► DOOMED ──commit (fails), rollback──► ENDED ◄──commit, rollback, too late── ACTIVE
 */
export class DatabaseTransaction {
  readonly #branches = new Map<ConnectionPool, Promise<Branch>>();
  readonly #deadline: NodeJS.Timeout;
  #state: 'active' | 'doomed' | 'ended' = 'active';
  #doom = '';

  /**
   * @param deadlineMs when it is rolled back if nobody has ended it
   * @param onLate hears of that
   */
  constructor(deadlineMs: number, onLate: () => void) {
    this.#deadline = setTimeout(() => {
      if (this.#state === 'ended') return;
      onLate();
      // Its statements fail from now on; what a rollback could not do, the end of the connection does.
      void this.rollBack().catch(() => undefined);
    }, deadlineMs).unref();
  }

  get ended(): boolean {
    return this.#state === 'ended';
  }

  /**
   * Runs statements in it.
   * @throws what they throw, after which it can only be rolled back
   */
  async use<T>(pool: ConnectionPool, work: (session: SqlSession) => Promise<T>): Promise<T> {
    if (this.#state === 'ended') throw new CommitError('the transaction has ended');
    try {
      const branch = this.#branches.get(pool) ?? Branch.begin(pool);
      this.#branches.set(pool, branch);
      return await work((await branch).session);
    } catch (error) {
      if (this.#state === 'active') this.#state = 'doomed';
      this.#doom ||= error instanceof Error ? error.message : String(error);
      throw error;
    }
  }

  /**
   * Commits database after database.
   * @throws CommitError when something was refused before, or a database does not commit
   */
  async commit(): Promise<void> {
    if (this.#state !== 'active') {
      const reason = this.#state === 'ended' ? 'it has ended already' : `a statement in it failed: ${this.#doom}`;
      await this.rollBack();
      throw new CommitError(reason);
    }
    const branches = await this.#end();
    const committed: string[] = [];
    for (const branch of branches) {
      try {
        await branch.commit();
        committed.push(branch.where);
      } catch (cause) {
        await rollBackAll(branches.slice(committed.length + 1));
        throw new CommitError(failedCommit(branch.where, committed, cause), { cause });
      }
    }
  }

  /** @throws the first error, after all were tried */
  async rollBack(): Promise<void> {
    if (this.#state === 'ended') return;
    await rollBackAll(await this.#end());
  }

  /** The branches that have come about. */
  async #end(): Promise<readonly Branch[]> {
    this.#state = 'ended';
    clearTimeout(this.#deadline);
    const settled = await Promise.allSettled(this.#branches.values());
    return settled.filter((branch) => branch.status === 'fulfilled').map(({ value }) => value);
  }
}

async function rollBackAll(branches: readonly Branch[]): Promise<void> {
  const settled = await Promise.allSettled(branches.map((branch) => branch.rollBack()));
  const failed = settled.find((outcome) => outcome.status === 'rejected');
  if (failed) throw failed.reason;
}

function failedCommit(where: string, committed: readonly string[], cause: unknown): string {
  const reason = `${where}: ${cause instanceof Error ? cause.message : String(cause)}`;
  return committed.length === 0 ? reason : `${reason}; already committed: ${committed.join(', ')}`;
}
