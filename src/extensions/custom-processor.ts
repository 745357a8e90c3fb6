import type { Endpoint } from '../endpoints/endpoint.ts';
import { logger } from '../logging/index.ts';
import { causeChain } from '../mediation/fault.ts';
import type { Configuration } from '../message/configuration.ts';
import type { MessageContext } from '../message/message-context.ts';
import { removeAddressingHeaders } from '../processors/addressing-headers.ts';
import { planOf, retryPolicy, shownParameters } from '../processors/common-plan.ts';
import { messageProcessor, type ProcessorKind, type ProcessorOpening } from '../processors/component.ts';
import { DeliveryFlow } from '../processors/delivery-flow.ts';
import type { DeliveryAttempt, DeliveryMethod, DeliveryTexts } from '../processors/delivery-method.ts';
import type { Outcome } from '../processors/outcome.ts';
import { COMMON_PARAMETERS } from '../processors/parameters.ts';
import type { ProcessorPlan } from '../processors/processor-plan.ts';
import { ScheduledProcessor } from '../processors/scheduled-processor.ts';
import type { StoredMessage } from '../stores/stored-message.ts';
import type * as api from './api.ts';
import {
  contained,
  describe,
  ExtensionError,
  exportedFunction,
  extensionLog,
  opened,
  reasonOf,
} from './containment.ts';
import type { LoadedModule } from './loaded-module.ts';
import { MessageView } from './message-view.ts';

/** The management API's word (spec stores 5.4). */
const TYPE = 'Custom-message-processor';
const SERVICE = 'CustomMessageProcessor';
const log = logger(SERVICE);

/**
 * The kind of processor that a module is; without a module, one that can be read but not opened. Its own parameters are the
 * module's business.
 * @throws ExtensionError when the module is no processor
 */
export function customProcessorKind(module: LoadedModule | undefined): ProcessorKind {
  if (module) exportedFunction(module, 'openProcessor');
  return messageProcessor({
    type: TYPE,
    doc: 'A processor of a module.',
    classes: [],
    parameters: COMMON_PARAMETERS,
    open(opening) {
      if (!module) throw new ExtensionError('its module was not loaded');
      return openProcessor(module, opening);
    },
  });
}

/** @throws ExtensionError */
function openProcessor(module: LoadedModule, opening: ProcessorOpening<typeof COMMON_PARAMETERS>): ScheduledProcessor {
  const { name, storeName, targetEndpoint, parameters, written, services } = opening;
  const context: api.ProcessorContext = {
    name,
    className: module.className,
    log: extensionLog(module.className, name),
    parameters: written,
    storeName,
    targetEndpoint,
    dataDirectory: services.dataDirectory,
  };
  const given = opened<api.Processor>(module, 'openProcessor', context, { process: 'function' });
  const method = new ModuleMethod(given, { processor: name, targetEndpoint, deadlineMs: module.deadlineMs });
  const plan = planOf(TYPE, opening, {
    parameters: shownParameters(written, parameters, targetEndpoint),
    method,
    policy: retryPolicy(parameters, services.profile, { maxAttempts: 4, lastResort: 'deactivate' }),
    schedule: { drains: true },
    members: parameters['member.count'],
  });
  return new CustomProcessor(plan, given, module.deadlineMs);
}

/** Tells the module when it has ended. */
class CustomProcessor extends ScheduledProcessor {
  readonly #given: api.Processor;
  readonly #deadlineMs: number;
  #closing: Promise<void> | undefined;

  constructor(plan: ProcessorPlan, given: api.Processor, deadlineMs: number) {
    super(plan);
    this.#given = given;
    this.#deadlineMs = deadlineMs;
  }

  override async stop(options: { readonly undeploy: boolean }): Promise<void> {
    await super.stop(options);
    this.#closing ??= this.#close();
    await this.#closing;
  }

  async #close(): Promise<void> {
    try {
      await contained('close()', this.#deadlineMs, () => this.#given.close?.());
    } catch (error) {
      log.error(`[${this.name}] ${reasonOf(error)}`);
    }
  }
}

/** Delivers by what a module makes of the message: what it throws, and what takes too long, is a failed attempt. */
class ModuleMethod implements DeliveryMethod {
  readonly service = SERVICE;
  readonly acknowledge = 'after';
  readonly texts: DeliveryTexts;
  readonly #given: api.Processor;
  readonly #options: {
    readonly processor: string;
    readonly targetEndpoint: string | undefined;
    readonly deadlineMs: number;
  };

  constructor(
    given: api.Processor,
    options: { processor: string; targetEndpoint: string | undefined; deadlineMs: number },
  ) {
    this.#given = given;
    this.#options = options;
    this.texts = textsOf(options.processor);
  }

  /** Only the module knows what it needs. */
  obstacle(): undefined {
    return undefined;
  }

  async deliver(attempt: DeliveryAttempt): Promise<Outcome> {
    const { deadlineMs } = this.#options;
    const flow = new DeliveryFlow();
    let message: MessageContext;
    try {
      message = flow.restore(attempt.stored, attempt.configuration);
    } catch (error) {
      return { kind: 'poison', reason: causeChain(error) };
    }
    const stop = new AbortController();
    const signal = AbortSignal.any([attempt.signal, stop.signal]);
    try {
      const view = this.#attempt(attempt, flow, message, signal);
      const result: unknown = await contained('process()', deadlineMs, () => this.#given.process(view));
      if (result !== undefined) {
        throw new ExtensionError(`process() returned ${describe(result)}, expected nothing: what fails is thrown`);
      }
      return { kind: 'delivered' };
    } catch (error) {
      if (attempt.signal.aborted) return { kind: 'aborted' };
      const failure = { message, cause: causeChain(error), status: undefined, endpoint: undefined };
      return { kind: 'failed', failure: { ...failure, dead: isDead(error) } };
    } finally {
      stop.abort();
    }
  }

  #attempt(attempt: DeliveryAttempt, flow: DeliveryFlow, message: MessageContext, signal: AbortSignal): api.Attempt {
    const { stored, number, configuration } = attempt;
    return {
      message: new MessageView(message),
      stored,
      number,
      signal,
      store: async (name: string, other: StoredMessage = stored) => {
        await found(configuration, 'messageStore', name).put(other);
      },
      runSequence: async (name: string) => {
        await flow.runHandled(found(configuration, 'sequence', name), message);
      },
      send: async (name: string | undefined = this.#options.targetEndpoint) => {
        if (name === undefined) throw new ExtensionError('send() needs an endpoint: there is no targetEndpoint');
        return send(found(configuration, 'endpoint', name), message, { stored, number, signal });
      },
    };
  }
}

/** Sends a message as forwarding processors do: every attempt carries the id that stays the same (OP-05). */
async function send(
  endpoint: Endpoint,
  message: MessageContext,
  { stored, number, signal }: Pick<api.Attempt, 'stored' | 'number' | 'signal'>,
): Promise<api.Message> {
  message.headers.set('X-Message-ID', stored.id);
  message.headers.set('X-Delivery-Attempt', String(number));
  if (message.text('PRESERVE_WS_ADDRESSING') !== 'true') removeAddressingHeaders(message.payload);
  const outOnly = message.text('OUT_ONLY') === 'true';
  return new MessageView(await endpoint.send(message, { blocking: true, outOnly, signal }));
}

/** @throws ExtensionError when there is none of that name now */
function found<K extends 'messageStore' | 'sequence' | 'endpoint'>(
  configuration: Configuration,
  kind: K,
  name: string,
) {
  const artifact = configuration.find(kind, name);
  if (artifact === undefined) throw new ExtensionError(`there is no ${kind} named ${describe(name)}`);
  return artifact;
}

function isDead(error: unknown): boolean {
  const thrown = error instanceof ExtensionError ? (error.cause as { dead?: unknown } | undefined) : undefined;
  return typeof thrown === 'object' && thrown !== null && thrown.dead === true;
}

function textsOf(processor: string): DeliveryTexts {
  const failed = (attempts: number) => `Message processor [${processor}] failed to process a message ${attempts} times`;
  return {
    failed: () => `[${processor}] The module failed to process a message`,
    dropped: (attempts) => `${failed(attempts)}. Drop message and continue.`,
    moved: (attempts) => `${failed(attempts)}. Moved failed message to fail-messages-store and continue`,
    notMoved: (attempts) =>
      `${failed(attempts)} but the fail-messages-store did not take it. Hence deactivating message processor.`,
  };
}
