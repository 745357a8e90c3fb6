/** What a sample service is made of, and the world its operations run in. */
import type { Random } from '../wire/quotes.ts';
import type { Attachment } from '../wire/related.ts';
import type { Message } from './request.ts';

/**
 * Which of the two published service descriptors is spoken (stockquote-samples 0): `wso2` puts the fields of a response into
 * `http://services.samples/xsd`, `apache` leaves them in `http://services.samples`.
 */
export type Flavour = 'wso2' | 'apache';

/** An order that the service has accepted. */
export interface AcceptedOrder {
  /** Counts from 1 in each service process. */
  readonly number: number;
  readonly service: string;
  readonly symbol: string | null;
  readonly quantity: number;
  readonly price: number;
  readonly at: Date;
  /** The line that the console shows for it. */
  readonly line: string;
}

/** What operations may use of the process they run in. */
export interface World {
  readonly flavour: Flavour;
  /** `-name`: what LBService1 and LBService2 answer with. */
  readonly serverName: string | undefined;
  readonly random: Random;
  now(): Date;
  /** Writes a console line. */
  print(line: string): void;
  /** The number of the next order. */
  nextOrderNumber(): number;
  /** Called once for each accepted order, before its answer goes out. */
  accepted(order: AcceptedOrder): void;
  /** Resolves after `milliseconds`, rejects when the service closes before. */
  sleep(milliseconds: number): Promise<void>;
}

/** What an operation answers: the XML of the body and, for transport sessions, the session it belongs to. */
export interface Result {
  readonly body: string;
  readonly sessionId?: string;
  /** Files that go beside the envelope. */
  readonly attachments?: readonly Attachment[];
  /** The envelope refers to the files by `xop:Include`. */
  readonly mtom?: boolean;
}

export interface Operation {
  readonly name: string;
  /** In-only: the client gets 202 whatever happens, also when the operation fails. */
  readonly oneWay: boolean;
  /** @throws ServiceFault */
  run(message: Message, world: World): Result | undefined | Promise<Result | undefined>;
}

/** The host names and ports at which a service is reached, for its WSDL. */
export interface Addresses {
  readonly host: string;
  readonly httpPort: number;
  readonly httpsPort: number | undefined;
}

export interface SampleService {
  readonly name: string;
  readonly operations: ReadonlyMap<string, Operation>;
  /** The request is not even parsed: every call is getQuote and addressing headers are not seen. */
  readonly ignoresRequest?: true;
  /** WSDL and XML schema; absent for services that only take raw XML. */
  readonly description?: {
    wsdl(flavour: Flavour, addresses: Addresses): string;
    schema(flavour: Flavour): string;
  };
}

/** Lists operations by name. */
export function operationsByName(operations: readonly Operation[]): ReadonlyMap<string, Operation> {
  return new Map(operations.map((operation) => [operation.name, operation]));
}
