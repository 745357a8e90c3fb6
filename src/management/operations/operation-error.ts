import { StoreError } from '../../stores/message-store.ts';
import { BrowseRefusedError, CursorError } from '../../stores/store-browser.ts';
import { ManagementError } from '../management-error.ts';

/** So a store that cannot be looked at is answered: refused by its kind 409, out of reach 503, a wrong cursor 400. */
export function asManagementError(error: unknown): unknown {
  if (error instanceof BrowseRefusedError) return new ManagementError(409, error.message, {}, { cause: error });
  if (error instanceof StoreError) return new ManagementError(503, error.message, {}, { cause: error });
  if (error instanceof CursorError) return new ManagementError(400, error.message, {}, { cause: error });
  return error;
}

/** @throws ManagementError for what stores throw */
export async function answering<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw asManagementError(error);
  }
}

/** For the list of what failed; without a stack. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
