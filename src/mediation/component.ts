import { DESCRIPTION, enableSwitch, readAttributes, type ValuesOf, type ValueTypes } from '../grammar/attributes.ts';
import type { ConfigElement } from '../grammar/element.ts';
import { allInstalled } from '../grammar/packages.ts';
import type { ArtifactReader } from '../grammar/reader.ts';
import type { MessageContext } from '../message/message-context.ts';
import type { Rest } from './continuation.ts';
import type { LeavesBody, Step, StepList } from './step.ts';

export type Mediate = Step['mediate'];

/** What a mediator's `compile` is given. */
export interface MediatorCompilation<A extends ValueTypes> {
  readonly element: ConfigElement;
  readonly attributes: ValuesOf<A>;
  readonly reader: ArtifactReader;
  /** The id that the step will have. */
  readonly id: string;
  /** What comes after this mediator, for a message that goes on there by itself; see `continuation.ts`. */
  readonly rest: Rest;
  /** Compiles the mediators inside an element (this one or a child such as `<then>`) into a list. */
  readonly compileList: CompileContext['compileList'];
  /** See {@link CompileContext.leavesBody}. */
  readonly leavesBody: (when?: LeavesBody) => void;
}

/**
 * A mediator, declared in one file: its element, its attributes with their docs, its check and its behaviour. `compile` runs once,
 * at deployment, reports everything wrong through the reader, and returns what runs per message; undefined after an error.
 */
export interface MediatorDefinition {
  readonly element: string;
  /** One or two sentences for the generated reference. */
  readonly doc: string;
  readonly attributes: ValueTypes;
  /** Child elements it reads itself; `mediators` when its children are mediators, `any` when any XML may stand inside. */
  readonly children: readonly string[] | 'mediators' | 'any';
  compile(element: ConfigElement, reader: ArtifactReader, context: CompileContext): Mediate | undefined;
}

/** What surrounds the compilation of one step. */
export interface CompileContext {
  readonly id: string;
  readonly rest: Rest;
  /**
   * @param end `goes-on`: a message at the end of the list goes on after the mediator, as in a branch of filter. `ends`: the mediator
   *   decides what becomes of it, or a {@link Sequence} around the list does. Default `goes-on`.
   */
  compileList(parent: ConfigElement, branch: string, end?: 'goes-on' | 'ends'): StepList;
  /**
   * To be called by a mediator that neither reads nor replaces the body of a message, does not copy it, and changes neither how a body
   * is written nor how a request is answered: bodies may pass it while they still come (`body-passing.ts`). What it names or has
   * inside is looked at by itself.
   */
  leavesBody?(when?: LeavesBody): void;
}

/** Attributes that every mediator accepts (spec mediators 2.2). */
const COMMON_ATTRIBUTES = {
  description: DESCRIPTION,
  statistics: enableSwitch('Collects statistics.'),
  trace: enableSwitch('Traces messages.'),
} as const;

/** Declares a mediator. See the README's tour "adding a mediator" and `src/mediators/drop.ts` for the smallest one. */
export function mediator<const A extends ValueTypes>(declaration: {
  element: string;
  doc: string;
  attributes: A;
  children?: readonly string[] | 'mediators' | 'any';
  /** Optional packages that it cannot work without; where one is missing, its artifacts are refused. */
  packages?: readonly string[];
  compile(compilation: MediatorCompilation<A>): Mediate | undefined;
}): MediatorDefinition {
  const { element: name, doc, attributes, children = [], packages = [] } = declaration;
  const known = { ...COMMON_ATTRIBUTES, ...attributes };
  return {
    element: name,
    doc,
    attributes: known,
    children,
    compile(element, reader, context) {
      const values = readAttributes(element, known, reader);
      if (typeof children !== 'string') reader.warnUnknownChildren(element, ['description', ...children]);
      if (!values || !allInstalled(packages, `<${name}>`, element, reader)) return undefined;
      const attributes = values as unknown as ValuesOf<A>;
      const leavesBody = (when?: LeavesBody) => context.leavesBody?.(when);
      const { id, rest, compileList } = context;
      return declaration.compile({ element, reader, attributes, id, rest, compileList, leavesBody });
    },
  };
}

/** A mediator whose effect is immediate and which never stops the flow. */
export function always(effect: (message: MessageContext) => void): Mediate {
  return (message) => {
    effect(message);
    return true;
  };
}
