import { FILE_CONNECTION_PARAMETERS, FILE_OPERATIONS, OLD_FILE_OPERATIONS } from './file-operations.ts';
import { HTTP_CONNECTION_PARAMETERS, HTTP_OPERATIONS } from './http-operations.ts';
import type { ConnectorOperation } from './operation.ts';

/** A connector that is built in. */
export interface BuiltInConnector {
  readonly operations: ReadonlyMap<string, ConnectorOperation>;
  /** What `init` may say; connections of the tooling say more, which has no effect. */
  readonly connection: readonly string[];
}

/** By the name before the dot. Adding one = one file and one line here. */
export const BUILT_IN_CONNECTORS: ReadonlyMap<string, BuiltInConnector> = new Map([
  ['http', { operations: HTTP_OPERATIONS, connection: HTTP_CONNECTION_PARAMETERS }],
  ['file', { operations: FILE_OPERATIONS, connection: FILE_CONNECTION_PARAMETERS }],
  ['fileconnector', { operations: OLD_FILE_OPERATIONS, connection: [] }],
]);
