import { type SqlConnection, SqlRefusedError } from './driver.ts';

/** The table is not there, or not as documented; says what to do. */
export class TableError extends Error {
  override readonly name = 'TableError';
}

interface Requirement {
  readonly name: string;
  /** A statement that finds nothing, and fails when the table or a column is not there. */
  readonly probe: string;
  readonly statements: readonly string[];
  readonly create: boolean;
}

/** @throws TableError when it is not there and must not be made */
export async function requireTable(connection: SqlConnection, requirement: Requirement): Promise<void> {
  const { name, probe, statements, create } = requirement;
  if (await tableExists(connection, probe)) return;
  if (!create) {
    const help = `set x.create.table=true in the store, or create it: ${statements.join('; ')}`;
    throw new TableError(`the table ${name} does not exist; ${help}`);
  }
  for (const statement of statements) await connection.query(statement);
}

/** Whether a statement that finds nothing finds its table and its columns. */
export async function tableExists(connection: SqlConnection, probe: string): Promise<boolean> {
  try {
    await connection.query(probe);
    return true;
  } catch (error) {
    if (error instanceof SqlRefusedError && error.refusal === 'no such table') return false;
    throw error;
  }
}

/** Drivers give big integers as text. */
export function integer(value: unknown): number {
  const number = typeof value === 'string' || typeof value === 'bigint' ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isSafeInteger(number)) {
    throw new TableError(`'${String(value)}' is no integer that can be used here`);
  }
  return number;
}
