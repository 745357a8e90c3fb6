import type { MessageContext } from '../message/message-context.ts';

/** One call of an operation that is built in, for one message. */
export interface OperationCall {
  readonly message: MessageContext;
  /** `get` of `http.get`. */
  readonly operation: string;
  /**
   * The text of a parameter; undefined when it is not written or empty.
   * @throws MediationError when its expression fails
   */
  text(parameter: string): string | undefined;
  /** The connection that the operation names, if it names one. */
  readonly connection: Connection | undefined;
}

/** What `<lib.init>` says: in the local entry of a configKey, or in the sequence before the operation. */
export interface Connection {
  /** For messages: the key of the entry, or the connector's name. */
  readonly name: string;
  /** The same for the same entry of the same deployment; to keep things under. */
  readonly identity: object;
  text(parameter: string): string | undefined;
}

/** An operation of a connector that is built in: the answer becomes the payload. */
export interface ConnectorOperation {
  /** Its parameters; others are warned about at deployment. */
  readonly parameters: readonly string[];
  /** @returns as a step: false stops */
  run(call: OperationCall): Promise<boolean>;
}

/** `true` in any case. */
export function isTrue(text: string | undefined): boolean {
  return text?.trim().toLowerCase() === 'true';
}
