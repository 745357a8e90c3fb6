import type { Position } from '../grammar/diagnostic.ts';
import { MediationError } from '../message/errors.ts';
import type { MessageContext, TemplateParameterValue } from '../message/message-context.ts';
import { goOn, type Rest } from './continuation.ts';
import type { Sequence } from './sequence.ts';

/** A parameter that a template declares (spec mediators 3.21). */
export interface TemplateParameter {
  readonly name: string;
  readonly mandatory: boolean;
  /** The value of a call that gives none. */
  readonly defaultValue: string | undefined;
  /** Where there is no such text: its value in the caller's context; null: it stays unset. */
  readonly computedDefault?: (message: MessageContext) => TemplateParameterValue | null;
}

const MANDATORY_PARAMETER_MISSING = 500101;
const NOTHING: ReadonlyMap<string, TemplateParameterValue> = new Map();

/** A `<template>` with a sequence, which call-template runs with values of its own (spec mediators 3.21). */
export class SequenceTemplate {
  readonly kind = 'sequence';
  readonly name: string;
  readonly parameters: readonly TemplateParameter[];
  readonly body: Sequence;
  readonly position: Position;

  constructor(options: {
    readonly name: string;
    readonly parameters: readonly TemplateParameter[];
    readonly body: Sequence;
    readonly position: Position;
  }) {
    this.name = options.name;
    this.parameters = options.parameters;
    this.body = options.body;
    this.position = options.position;
  }

  /**
   * Runs the body. Its parameters are there from its beginning to its end, whatever the end is (MREQ-14).
   * @param values gives what a parameter is called with, in the caller's context; null: its default
   * @param rest what comes after the call
   * @param given further parameters, which it need not declare
   * @throws MediationError 500101 when a mandatory parameter has no value
   */
  call(
    message: MessageContext,
    values: (parameter: string) => TemplateParameterValue | null,
    rest: Rest,
    given: ReadonlyMap<string, TemplateParameterValue> = NOTHING,
  ): boolean | Promise<boolean> {
    const parameters = this.#evaluate(message, values);
    for (const [name, value] of given) parameters.set(name, value);
    const frames = message.templateFrames.length;
    const handlers = message.faultStack.length;
    message.templateFrames.push({ template: this.name, parameters });
    const leave = (left: MessageContext) => truncate(left.templateFrames, frames);
    const caller = {
      goOn(left: MessageContext) {
        leave(left);
        truncate(left.faultStack, handlers);
        return goOn(left, rest);
      },
    };
    let outcome: boolean | Promise<boolean>;
    try {
      outcome = this.body.mediate(message, caller);
    } catch (error) {
      leave(message);
      throw error;
    }
    if (typeof outcome !== 'boolean') return outcome.finally(() => leave(message));
    leave(message);
    return outcome;
  }

  #evaluate(
    message: MessageContext,
    values: (parameter: string) => TemplateParameterValue | null,
  ): Map<string, TemplateParameterValue> {
    const evaluated = new Map<string, TemplateParameterValue>();
    for (const { name, mandatory, defaultValue, computedDefault } of this.parameters) {
      const value = values(name) ?? defaultValue ?? computedDefault?.(message) ?? null;
      if (value !== null) evaluated.set(name, value);
      else if (mandatory) throw this.#missing(name);
    }
    return evaluated;
  }

  #missing(name: string): MediationError {
    return new MediationError(
      `Neither a value nor default value is provided for mandatory parameter: ${name} in seq-template ${this.name}`,
      { code: MANDATORY_PARAMETER_MISSING },
    );
  }
}

function truncate(list: { length: number }, height: number): void {
  if (list.length > height) list.length = height;
}
