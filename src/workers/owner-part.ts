import type { ArtifactRuntimes } from '../deployment/runtime.ts';
import { logger } from '../logging/index.ts';
import { storeWithFailover } from '../mediators/store.ts';
import type { Configuration } from '../message/configuration.ts';
import { MediationError } from '../message/errors.ts';
import { restoreMessage } from '../stores/capture.ts';
import { failoverPlan } from '../stores/failover-parameters.ts';
import { decodeStoredMessage } from '../stores/stored-message-codec.ts';
import { CountIndex, TakerCounts } from './count-report.ts';
import type { PutFrame } from './frames.ts';
import type { OwnerNote, TakerNote } from './notes.ts';
import { OwnerPort, type TakerSession } from './owner-port.ts';
import type { ServerPart, WorkingServer } from './server-part.ts';
import { readSwitches } from './switches.ts';

const log = logger('Workers');

/** How soon takers hear of a switch, ms. */
const LOOK_AT_SWITCHES_MS = 200;

/** The role of the worker that has everything that can be there once only. */
export class OwnerPart implements ServerPart {
  readonly owns = true;
  readonly #path: string;
  #server: WorkingServer | undefined;
  #port: OwnerPort | undefined;
  #index: CountIndex | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** The switches that were told last, as JSON. */
  #told = '';
  readonly #unsubscribe: Array<() => void> = [];

  /** @param path of the socket that takers connect to */
  constructor(path: string) {
    this.#path = path;
  }

  runtimes(all: ArtifactRuntimes): ArtifactRuntimes {
    return all;
  }

  async begin(server: WorkingServer): Promise<void> {
    const { deployer, observation, registry } = server;
    this.#server = server;
    this.#index = new CountIndex(observation, () => deployer.snapshot);
    this.#port = new OwnerPort({
      path: this.#path,
      put: (frame) => putInto(deployer.snapshot, frame),
      begin: (tell) => this.#session(tell),
    });
    this.#unsubscribe.push(
      deployer.subscribe(() => this.#tellAll({ type: 'deployed' })),
      registry.onChange(() => this.#tellRegistry()),
    );
    await this.#port.open();
    this.#timer = setInterval(() => this.#tellSwitches(), LOOK_AT_SWITCHES_MS).unref();
  }

  async drained(deadlineMs: number): Promise<void> {
    if (!this.#port || (await this.#port.idle(deadlineMs))) return;
    log.warn('Other workers have not ended in time; what they store from now on fails');
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    await this.#port?.close();
  }

  #session(tell: (note: OwnerNote) => void): TakerSession {
    const counts = this.#index && new TakerCounts(this.#index);
    if (this.#server) tell({ type: 'switches', switches: readSwitches(this.#server.deployer.snapshot) });
    // It may have been deploying while something changed, or without an owner.
    tell({ type: 'deployed' });
    tell({ type: 'registry' });
    return {
      note: (note) => this.#heard(note, counts),
      ended: () => counts?.end(),
    };
  }

  #heard(note: TakerNote, counts: TakerCounts | undefined): void {
    const { observation, registry } = this.#server ?? {};
    if (note.type === 'counts') counts?.add(note.rows);
    else if (note.type === 'registry') {
      registry?.reload().then(
        () => this.#tellAll({ type: 'registry' }),
        (error: unknown) => log.error(`The registry cannot be read: ${String(error)}`),
      );
    } else {
      observation?.log.add(note.record);
      observation?.events.log(note.record);
    }
  }

  #tellSwitches(): void {
    if (!this.#server) return;
    const switches = readSwitches(this.#server.deployer.snapshot);
    const text = JSON.stringify(switches);
    if (text === this.#told) return;
    this.#told = text;
    this.#tellAll({ type: 'switches', switches });
  }

  #tellRegistry(): void {
    void this.#server?.registry.flush().then(() => this.#tellAll({ type: 'registry' }));
  }

  #tellAll(note: OwnerNote): void {
    this.#port?.tellAll(note);
  }
}

/** What the store mediator leaves where it has recognised a repetition. */
const DUPLICATE_OF = 'STORE_DUPLICATE_OF';

/**
 * Puts a taker's message into the store that it is for, or into that one's failover store; the id of the message that it repeats, if it
 * does.
 * @throws StoreError, MediationError, StoredMessageError
 */
async function putInto(
  configuration: Configuration,
  { store, key, head, body }: PutFrame,
): Promise<string | undefined> {
  const target = configuration.find('messageStore', store);
  if (!target) throw new MediationError(`no message store is named '${store}'`);
  const stored = decodeStoredMessage(head, body);
  if (!failoverPlan(target.parameters)) {
    if (key !== undefined && target.once) return target.once.put(stored, key);
    await target.put(stored);
    return undefined;
  }
  // What is said of it is about the message that was mediated.
  const message = restoreMessage({ ...stored, id: stored.originalId }, configuration);
  // An earlier store of the same flow may have said so of itself.
  message.properties.delete(DUPLICATE_OF);
  await storeWithFailover(message, target, stored, key);
  return message.text(DUPLICATE_OF);
}
