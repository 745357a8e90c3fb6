import { logger } from '../../logging/index.ts';
import { aboutMessage } from '../../mediation/about-message.ts';
import { approximateBytes } from '../../message/approximate-bytes.ts';
import type { Caller } from '../../message/caller.ts';
import { MediationError } from '../../message/errors.ts';
import type { MessageContext, TemplateFrame } from '../../message/message-context.ts';

declare module '../../message/configuration.ts' {
  interface Services {
    aggregation?: AggregationLimits;
  }
}

/** What the aggregates of a server may keep; what is absent has the default. */
export interface AggregationLimits {
  /** ms after which an incomplete group without a timeout of its own is given up (MREQ-13); default 10 minutes. */
  readonly expiryMs?: number;
  /** Open groups of one aggregate; default 10,000. */
  readonly groups?: number;
  /** Messages of one group; default 100,000. */
  readonly messages?: number;
  /** Bytes of all messages that one aggregate keeps, about; default 256 MiB. */
  readonly bytes?: number;
}

const DEFAULTS = { expiryMs: 600_000, groups: 10_000, messages: 100_000, bytes: 256 * 1024 * 1024 };

const log = logger('AggregateMediator');

/** When a group is complete; 0 or less: never for this reason. */
export interface Condition {
  /** Parts of the message that was split. */
  readonly total: number;
  readonly min: number;
  readonly max: number;
  readonly timeoutMs: number;
}

/**
 * Messages that belong together (spec mediators 3.15).
 *
 *     OPEN ──total, min or max reached──▶ closed by the message that fulfils it, which goes on with the result
 *       ├────timeout──────────────────▶ closed; the result goes on by itself
 *       └────expiry, server stops──────▶ as a timeout if the artifact has one, else given up: a fault
 *
 * A group leaves OPEN once; {@link done} resolves when what came after that has ended.
 */
export class Group {
  readonly key: string;
  readonly messages: MessageContext[] = [];
  readonly condition: Condition;
  /** Where the message that came last would have gone on. */
  callers: readonly Caller[] = [];
  /** The templates that the message that came last is in. */
  frames: readonly TemplateFrame[] = [];
  bytes = 0;
  readonly #done = Promise.withResolvers<void>();

  constructor(key: string, condition: Condition) {
    this.key = key;
    this.condition = condition;
  }

  get done(): Promise<void> {
    return this.#done.promise;
  }

  get complete(): boolean {
    const { length } = this.messages;
    const { total, min, max } = this.condition;
    return [total, min, max].some((count) => count > 0 && length >= count);
  }

  /** `2 of 3 messages`. */
  get progress(): string {
    const { total, min, max } = this.condition;
    const counts = [total, min, max].filter((count) => count > 0);
    return `${this.messages.length} of ${counts.length > 0 ? Math.min(...counts) : 'any number of'} messages`;
  }

  finished(): void {
    this.#done.resolve();
  }
}

export interface AggregationOptions {
  /** For the log: the mediator's id attribute, or its place. */
  readonly label: string;
  /** Must not reject: the time of the group is up. */
  expired(group: Group): Promise<void>;
}

/** The open groups of one aggregate mediator, and their timers. */
export class Aggregation {
  readonly #options: AggregationOptions;
  readonly #open = new Map<string, { readonly group: Group; readonly close: () => void }>();
  #bytes = 0;

  constructor(options: AggregationOptions) {
    this.#options = options;
  }

  /**
   * Adds a message to its group.
   * @param condition of a new group
   * @param shared the client of the message waits for the group: all of it comes from one message
   * @throws MediationError when there is no room
   */
  add(key: string, message: MessageContext, condition: () => Condition, shared: boolean): Group {
    const limits = { ...DEFAULTS, ...message.configuration.services.aggregation };
    const bytes = approximateBytes(message.payload);
    const { group } = this.#open.get(key) ?? this.#openGroup(key, message, condition(), shared, limits);
    if (group.messages.length >= limits.messages || this.#bytes + bytes > limits.bytes) {
      throw new MediationError(
        `Aggregate ${this.#options.label} keeps no more messages: ${group.messages.length} in this group, ${this.#bytes} bytes in all`,
        { status: 503 },
      );
    }
    group.messages.push(message);
    group.callers = [...message.callers];
    group.frames = [...message.templateFrames];
    group.bytes += bytes;
    this.#bytes += bytes;
    return group;
  }

  /** Takes a group out; false when it is out already. */
  close(group: Group): boolean {
    const entry = this.#open.get(group.key);
    if (entry?.group !== group) return false;
    this.#open.delete(group.key);
    this.#bytes -= group.bytes;
    entry.close();
    return true;
  }

  #openGroup(
    key: string,
    message: MessageContext,
    condition: Condition,
    shared: boolean,
    limits: typeof DEFAULTS,
  ): { readonly group: Group; readonly close: () => void } {
    if (this.#open.size >= limits.groups) {
      throw new MediationError(`Aggregate ${this.#options.label} has ${limits.groups} open groups and takes no more`, {
        status: 503,
      });
    }
    const group = new Group(key, condition);
    const { flows } = message.configuration.services;
    const expire = () => this.#expire(group);
    const timer = setTimeout(expire, condition.timeoutMs > 0 ? condition.timeoutMs : limits.expiryMs);
    const forget = flows.wait({ giveUp: expire, done: group.done });
    const close = () => {
      clearTimeout(timer);
      forget();
    };
    if (shared && message.exchange) message.exchange.track(group.done, 'group');
    else if (shared) flows.track(group.done);
    const entry = { group, close };
    this.#open.set(key, entry);
    return entry;
  }

  #expire(group: Group): void {
    if (!this.close(group)) return;
    const [first] = group.messages;
    const about = first && aboutMessage(first);
    const details = {
      ...about,
      collected: group.messages.length,
      progress: group.progress,
      aggregate: this.#options.label,
    };
    log.warn(
      group.condition.timeoutMs > 0
        ? 'Aggregate mediator timeout occurred.'
        : `Aggregate ${this.#options.label} gives up a group with ${group.progress}`,
      details,
    );
    void this.#options.expired(group).finally(() => group.finished());
  }
}
