import type { Endpoint } from '../endpoints/endpoint.ts';
import { nearestName } from '../grammar/diagnostic.ts';
import { type ConfigElement, SYNAPSE_NAMESPACE } from '../grammar/element.ts';
import type { ArtifactReader, Reference } from '../grammar/reader.ts';
import { compileConnectorOperation, isConnectorOperation } from '../mediators/calling/connector-operation.ts';
import { MEDIATORS } from '../mediators/index.ts';
import type { CompileContext, Mediate, MediatorDefinition } from './component.ts';
import type { Rest } from './continuation.ts';
import type { LeavesBody, Step, StepList } from './step.ts';

const definitions: ReadonlyMap<string, MediatorDefinition> = new Map(
  MEDIATORS.map((definition) => [definition.element, definition]),
);

/** Most mediators name nothing and have nothing inside: theirs is the same empty list, as there are many of them. */
const NONE: readonly never[] = Object.freeze([]);

/** Where the reference's mediators live; the business rules have a namespace of their own. */
const KNOWN_NAMESPACES: readonly string[] = [SYNAPSE_NAMESPACE, 'http://wso2.org/carbon/rules'];

/** Children of a list that are no mediators. */
const NO_MEDIATORS: readonly string[] = ['description', 'documentation'];

/**
 * Compiles the mediators inside an element into a list of steps with stable ids. Every problem goes to the reader; what is wrong is
 * left out, so that all problems are found at once.
 * @param outer what comes after the mediator that the list is a branch of
 */
export function compileSteps(parent: ConfigElement, reader: ArtifactReader, id: string, outer?: Rest): StepList {
  const steps: Step[] = [];
  const list: StepList = { id, steps, counts: { entered: 0, completed: 0 } };
  for (const child of parent.children) {
    if (NO_MEDIATORS.includes(child.name)) continue;
    const from = steps.length + 1;
    const step = compileStep(child, reader, `${id}/${from}`, { list, from, outer });
    if (step) steps.push(step);
  }
  return list;
}

function compileStep(element: ConfigElement, reader: ArtifactReader, id: string, rest: Rest): Step | undefined {
  const found = new StepFindings(reader);
  const branches: StepList[] = [];
  const compileList: CompileContext['compileList'] = (inside, branch, end = 'goes-on') => {
    const list = found.ofOthers(() =>
      compileSteps(inside, reader, `${id}/${branch}`, end === 'goes-on' ? rest : undefined),
    );
    branches.push(list);
    return list;
  };
  let leavesBody: LeavesBody | undefined;
  const tellsBlind = (when: LeavesBody = 'always') => {
    leavesBody = when;
  };
  const mediate = compileMediator(element, reader, { id, rest, compileList, leavesBody: tellsBlind });
  if (!mediate) return undefined;
  const { name: mediator, position } = element;
  const counts = { entered: 0, stopped: 0, faults: 0 };
  return {
    id,
    mediator,
    position,
    mediate,
    branches: orNone(branches),
    leavesBody,
    label: labelOf(element),
    counts,
    ...found.own(),
  };
}

function orNone<T>(items: readonly T[]): readonly T[] {
  return items.length === 0 ? NONE : items;
}

function compileMediator(element: ConfigElement, reader: ArtifactReader, context: CompileContext): Mediate | undefined {
  const definition = KNOWN_NAMESPACES.includes(element.namespace) ? definitions.get(element.name) : undefined;
  if (definition) return definition.compile(element, reader, context);
  if (element.namespace === SYNAPSE_NAMESPACE && isConnectorOperation(element))
    return compileConnectorOperation(element, reader, context);
  reportUnknown(element, reader);
  return undefined;
}

/** What tells this mediator from others of its kind, as it is written. */
function labelOf(element: ConfigElement): string | undefined {
  for (const name of ['name', 'messageStore', 'key', 'target', 'xpath', 'source', 'description']) {
    const written = element.attribute(name)?.trim();
    if (written) return written;
  }
  return undefined;
}

/** The names and endpoints that the reader meets while a mediator is compiled, without those of the mediators inside. */
class StepFindings {
  readonly #reader: ArtifactReader;
  #references: readonly Reference[] = NONE;
  #endpoints: readonly Endpoint[] = NONE;
  #referencesSeen: number;
  #endpointsSeen: number;

  constructor(reader: ArtifactReader) {
    this.#reader = reader;
    this.#referencesSeen = reader.references.length;
    this.#endpointsSeen = reader.endpoints.length;
  }

  /** Compiles something that has findings of its own. */
  ofOthers<T>(compile: () => T): T {
    this.#take();
    const result = compile();
    this.#referencesSeen = this.#reader.references.length;
    this.#endpointsSeen = this.#reader.endpoints.length;
    return result;
  }

  own(): Pick<Step, 'references' | 'endpoints'> {
    this.#take();
    return { references: this.#references, endpoints: this.#endpoints };
  }

  #take(): void {
    const { references, endpoints } = this.#reader;
    this.#references = withThoseFrom(this.#referencesSeen, references, this.#references);
    this.#endpoints = withThoseFrom(this.#endpointsSeen, endpoints, this.#endpoints);
    this.#referencesSeen = references.length;
    this.#endpointsSeen = endpoints.length;
  }
}

function withThoseFrom<T>(from: number, all: readonly T[], before: readonly T[]): readonly T[] {
  return all.length === from ? before : [...before, ...all.slice(from)];
}

function reportUnknown(element: ConfigElement, reader: ArtifactReader): void {
  const nearest = nearestName(element.name, [...definitions.keys()]);
  reader.error(
    element,
    `Unknown mediator referenced by configuration element : {${element.namespace}}${element.name}`,
    { expected: `a mediator in the namespace ${SYNAPSE_NAMESPACE}`, ...(nearest && { nearest }) },
  );
}
