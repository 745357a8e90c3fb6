import type { Cluster } from '../../coordination/cluster.ts';
import type { TaskState, Wanted } from '../../coordination/lease-medium.ts';
import { placeholders, type SqlDialect } from './dialect.ts';
import type { SqlConnection, SqlRow, SqlSession } from './driver.ts';
import { isDeadOwner } from './owner.ts';
import { integer, requireTable } from './required-table.ts';

/*
 * Who does which task (REQ-25). The first two tables are the reference's, so that whoever looks at those finds what he knows; the
 * third one is ours, as those have no place for the end of a lease and its fencing token:
 *
 *   COORDINATED_TASK_TABLE        a task, the node that has it, its state
 *   CLUSTER_NODE_STATUS_TABLE     a node and its last sign of life
 *   COORDINATED_TASK_LEASE_TABLE  a task, the process that has it, the number of the lease (token), when it expires
 *
 * A task's row of the first one (spec stores 6.2):
 *
 *   (none) ── first node ──► NONE ◄──────── given back ───────── RUNNING ◄── a node has it ── NONE, ACTIVATED, RUNNING (expired)
 *   inactive is wanted: PAUSED at the node that has it, or when nobody has it; else DEACTIVATED, and PAUSED when given back
 *   active is wanted:   ACTIVATED, unless it is RUNNING
 *
 * PAUSED and DEACTIVATED tasks are given to nobody.
 */
const TASKS = 'COORDINATED_TASK_TABLE';
const NODES = 'CLUSTER_NODE_STATUS_TABLE';
const LEASES = 'COORDINATED_TASK_LEASE_TABLE';

const CREATE_TASKS =
  `CREATE TABLE IF NOT EXISTS ${TASKS} (TASK_NAME VARCHAR(512) NOT NULL, DESTINED_NODE_ID VARCHAR(512), ` +
  'TASK_STATE VARCHAR(32) NOT NULL, PRIMARY KEY (TASK_NAME))';
/** Shorter names than the reference's: the key of both must fit into what MySQL allows. */
const CREATE_NODES =
  `CREATE TABLE IF NOT EXISTS ${NODES} (GROUP_ID VARCHAR(255) NOT NULL, NODE_ID VARCHAR(255) NOT NULL, ` +
  'IS_NEW_NODE INTEGER NOT NULL, LAST_HEARTBEAT BIGINT NOT NULL, PRIMARY KEY (GROUP_ID, NODE_ID))';
const CREATE_LEASES =
  `CREATE TABLE IF NOT EXISTS ${LEASES} (TASK_NAME VARCHAR(512) NOT NULL, OWNER VARCHAR(100) NOT NULL, ` +
  'TOKEN BIGINT NOT NULL, EXPIRES_AT BIGINT NOT NULL, PRIMARY KEY (TASK_NAME))';

/** What came of asking for a task: a token, or who has it for how long. */
export interface Held {
  readonly token: number | undefined;
  readonly holder: string | undefined;
  readonly state: TaskState;
  readonly remainingMs: number;
}

export interface TaskTablesOptions {
  readonly dialect: SqlDialect;
  readonly cluster: Cluster;
  /** This process (owner.ts). */
  readonly owner: string;
  /** Called in the transaction that takes a task over from a process that holds none any more. */
  onTakenOver(session: SqlSession, former: string): Promise<void>;
}

/** The statements on the tables of the cluster. */
export class TaskTables {
  readonly #dialect: SqlDialect;
  readonly #cluster: Cluster;
  readonly #owner: string;
  readonly #onTakenOver: TaskTablesOptions['onTakenOver'];

  constructor(options: TaskTablesOptions) {
    this.#dialect = options.dialect;
    this.#cluster = options.cluster;
    this.#owner = options.owner;
    this.#onTakenOver = (session, former) => options.onTakenOver(session, former);
  }

  /** @throws TableError with the statement that helps, when a table is missing and must not be made */
  async prepare(connection: SqlConnection, create: boolean): Promise<void> {
    const required = [
      { name: TASKS, columns: 'TASK_NAME, DESTINED_NODE_ID, TASK_STATE', statements: [CREATE_TASKS] },
      { name: NODES, columns: 'GROUP_ID, NODE_ID, IS_NEW_NODE, LAST_HEARTBEAT', statements: [CREATE_NODES] },
      { name: LEASES, columns: 'TASK_NAME, OWNER, TOKEN, EXPIRES_AT', statements: [CREATE_LEASES] },
    ];
    for (const { name, columns, statements } of required) {
      await requireTable(connection, { name, probe: `SELECT ${columns} FROM ${name} WHERE 1 = 0`, statements, create });
    }
    await this.#freeDead(connection);
  }

  /** The node's sign of life. */
  async beat(session: SqlSession): Promise<void> {
    const { group, node } = this.#cluster;
    const { now } = this.#dialect;
    const mine = 'WHERE GROUP_ID = ? AND NODE_ID = ?';
    await session.query(`UPDATE ${NODES} SET LAST_HEARTBEAT = ${now}, IS_NEW_NODE = 0 ${mine}`, [group, node]);
    const found = await session.query(`SELECT NODE_ID AS node FROM ${NODES} ${mine}`, [group, node]);
    if (found.length > 0) return;
    await session.query(
      `INSERT INTO ${NODES} (GROUP_ID, NODE_ID, IS_NEW_NODE, LAST_HEARTBEAT) VALUES (?, ?, 1, ${now})`,
      [group, node],
    );
  }

  async leave(session: SqlSession): Promise<void> {
    const { group, node } = this.#cluster;
    await session.query(`DELETE FROM ${NODES} WHERE GROUP_ID = ? AND NODE_ID = ?`, [group, node]);
  }

  acquire(connection: SqlConnection, task: string): Promise<Held> {
    return connection.transaction(async (session) => {
      await this.#enrol(session, task);
      const { holder, state } = await this.#task(session, task);
      if (state === 'PAUSED' || state === 'DEACTIVATED') {
        return { token: undefined, holder: undefined, state, remainingMs: 0 };
      }
      const { owner: former } = await this.#lease(session, task);
      await this.#claim(session, task);
      const { owner, token, remainingMs } = await this.#lease(session, task);
      if (owner !== this.#owner) return { token: undefined, holder, state, remainingMs };
      if (former !== '' && former !== owner && !(await this.#holdsAny(session, former))) {
        await this.#onTakenOver(session, former);
      }
      await session.query(`UPDATE ${TASKS} SET DESTINED_NODE_ID = ?, TASK_STATE = 'RUNNING' WHERE TASK_NAME = ?`, [
        this.#cluster.node,
        task,
      ]);
      return { token, holder: this.#cluster.node, state: 'RUNNING', remainingMs };
    });
  }

  /** False when others have it. */
  async renew(session: SqlSession, task: string, token: number): Promise<boolean> {
    const { now } = this.#dialect;
    await session.query(
      `UPDATE ${LEASES} SET EXPIRES_AT = ${now} + ${this.#cluster.leaseMs} WHERE TASK_NAME = ? AND OWNER = ? AND TOKEN = ?`,
      [task, this.#owner, token],
    );
    const [row] = await session.query(
      `SELECT TASK_NAME AS task FROM ${LEASES} WHERE TASK_NAME = ? AND OWNER = ? AND TOKEN = ?`,
      [task, this.#owner, token],
    );
    return row !== undefined;
  }

  /** Changes nothing when others have it. */
  release(connection: SqlConnection, task: string, token: number): Promise<void> {
    return connection.transaction(async (session) => {
      // In the order in which `acquire` locks them.
      await this.#task(session, task);
      const { owner, token: current } = await this.#lease(session, task);
      if (owner !== this.#owner || current !== token) return;
      await session.query(`UPDATE ${LEASES} SET EXPIRES_AT = 0, OWNER = '' WHERE TASK_NAME = ?`, [task]);
      await session.query(
        `UPDATE ${TASKS} SET DESTINED_NODE_ID = NULL, TASK_STATE = CASE TASK_STATE WHEN 'RUNNING' THEN 'NONE' ` +
          "WHEN 'DEACTIVATED' THEN 'PAUSED' ELSE TASK_STATE END WHERE TASK_NAME = ?",
        [task],
      );
    });
  }

  async wanted(session: SqlSession, task: string): Promise<Wanted | undefined> {
    const [row] = await session.query(`SELECT TASK_STATE AS state FROM ${TASKS} WHERE TASK_NAME = ?`, [task]);
    if (!row) return undefined;
    const state = String(row.state);
    return state === 'PAUSED' || state === 'DEACTIVATED' ? 'inactive' : 'active';
  }

  want(connection: SqlConnection, tasks: readonly string[], wanted: Wanted): Promise<void> {
    const active = "CASE TASK_STATE WHEN 'RUNNING' THEN 'RUNNING' WHEN 'NONE' THEN 'NONE' ELSE 'ACTIVATED' END";
    const inactive =
      "CASE WHEN TASK_STATE = 'PAUSED' OR DESTINED_NODE_ID IS NULL OR DESTINED_NODE_ID = ? THEN 'PAUSED' ELSE 'DEACTIVATED' END";
    return connection.transaction(async (session) => {
      for (const task of tasks) {
        await this.#enrol(session, task);
        const values = wanted === 'active' ? [task] : [this.#cluster.node, task];
        const state = wanted === 'active' ? active : inactive;
        await session.query(`UPDATE ${TASKS} SET TASK_STATE = ${state} WHERE TASK_NAME = ?`, values);
      }
    });
  }

  /** Their leases stay until they expire or are given back: somebody may still be at work. */
  async remove(session: SqlSession, tasks: readonly string[]): Promise<void> {
    await session.query(`DELETE FROM ${TASKS} WHERE TASK_NAME IN (${placeholders(tasks.length)})`, tasks);
  }

  async #enrol(session: SqlSession, task: string): Promise<void> {
    const statement = this.#dialect.insertOrUpdate({
      table: TASKS,
      columns: ['TASK_NAME', 'TASK_STATE'],
      rows: ["(?, 'NONE')"],
      condition: '1 = 0',
      changes: [['TASK_STATE', 'old.TASK_STATE']],
    });
    await session.query(statement, [task]);
  }

  async #task(session: SqlSession, task: string): Promise<{ holder: string | undefined; state: TaskState }> {
    const [row] = await session.query(
      `SELECT DESTINED_NODE_ID AS holder, TASK_STATE AS state FROM ${TASKS} WHERE TASK_NAME = ?${this.#dialect.forUpdate}`,
      [task],
    );
    const holder = row?.holder;
    return { holder: typeof holder === 'string' ? holder : undefined, state: stateOf(row) };
  }

  #claim(session: SqlSession, task: string): Promise<unknown> {
    const { now } = this.#dialect;
    const statement = this.#dialect.insertOrUpdate({
      table: LEASES,
      columns: ['TASK_NAME', 'OWNER', 'TOKEN', 'EXPIRES_AT'],
      rows: [`(?, ?, 1, ${now} + ${this.#cluster.leaseMs})`],
      condition: `old.EXPIRES_AT <= ${now} OR old.OWNER = new.OWNER`,
      // The end comes last: the condition is about it.
      changes: [
        ['TOKEN', 'old.TOKEN + 1'],
        ['OWNER', 'new.OWNER'],
        ['EXPIRES_AT', 'new.EXPIRES_AT'],
      ],
    });
    return session.query(statement, [task, this.#owner]);
  }

  async #lease(session: SqlSession, task: string): Promise<{ owner: string; token: number; remainingMs: number }> {
    const [row] = await session.query(
      `SELECT OWNER AS owner, TOKEN AS token, EXPIRES_AT - ${this.#dialect.now} AS remaining FROM ${LEASES} WHERE TASK_NAME = ?`,
      [task],
    );
    if (!row) return { owner: '', token: 0, remainingMs: 0 };
    return { owner: String(row.owner), token: integer(row.token), remainingMs: integer(row.remaining) };
  }

  /** Whether a process holds any task. */
  async #holdsAny(session: SqlSession, owner: string): Promise<boolean> {
    const held = await session.query(
      `SELECT TASK_NAME AS task FROM ${LEASES} WHERE OWNER = ? AND EXPIRES_AT > ${this.#dialect.now}`,
      [owner],
    );
    return held.length > 0;
  }

  /** What this node held when it was killed need not expire. */
  async #freeDead(session: SqlSession): Promise<void> {
    const rows = await session.query(`SELECT DISTINCT OWNER AS owner FROM ${LEASES}`);
    const dead = rows.map(({ owner }) => String(owner)).filter((owner) => isDeadOwner(owner, this.#owner));
    if (dead.length === 0) return;
    await session.query(
      `UPDATE ${LEASES} SET EXPIRES_AT = 0, OWNER = '' WHERE OWNER IN (${placeholders(dead.length)})`,
      dead,
    );
  }
}

function stateOf(row: SqlRow | undefined): TaskState {
  const state = row?.state;
  switch (state) {
    case 'RUNNING':
    case 'ACTIVATED':
    case 'DEACTIVATED':
    case 'PAUSED':
      return state;
    default:
      return 'NONE';
  }
}
