import { approximateBytes } from '../../message/approximate-bytes.ts';
import { MediationError } from '../../message/errors.ts';
import type { MessageContext } from '../../message/message-context.ts';
import type { Payload } from '../../message/payload.ts';
import { NodeBudget, type XmlElement } from '../../xml/index.ts';

/** As much as an aggregate keeps. */
const MAX_BYTES = 256 * 1024 * 1024;

/**
 * What the parts of one message may leave behind until their results are put together (OP-91): of XML as many nodes as a document may have, of
 * everything else as many bytes as an aggregate may keep.
 */
export class ResultBudget {
  readonly #mediator: string;
  readonly #limit: number;
  readonly #nodes = new NodeBudget();
  #bytes = 0;

  constructor({ configuration }: MessageContext, mediator: string) {
    this.#mediator = mediator;
    this.#limit = configuration.services.aggregation?.bytes ?? MAX_BYTES;
  }

  /** Counts one more result that is kept as XML, whatever it was made from. @throws TooLargeError */
  admitNodes(element: XmlElement | undefined): void {
    if (element) this.#nodes.take(element);
  }

  /** Counts one more result. @throws MediationError, TooLargeError when all of them take too much memory */
  admit(payload: Payload): void {
    if (payload.kind === 'envelope') {
      this.admitNodes(payload.firstBodyChild());
      return;
    }
    this.#bytes += approximateBytes(payload);
    if (this.#bytes <= this.#limit) return;
    throw new MediationError(`${this.#mediator}: the results of the parts take more than ${this.#limit} bytes`);
  }
}
