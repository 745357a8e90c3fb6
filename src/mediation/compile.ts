import { nearestName } from '../grammar/diagnostic.ts';
import { type ConfigElement, SYNAPSE_NAMESPACE } from '../grammar/element.ts';
import type { ArtifactReader } from '../grammar/reader.ts';
import { compileConnectorOperation, isConnectorOperation } from '../mediators/calling/connector-operation.ts';
import { MEDIATORS } from '../mediators/index.ts';
import type { MediatorDefinition } from './component.ts';
import type { Rest } from './continuation.ts';
import type { Step, StepList } from './step.ts';

const definitions: ReadonlyMap<string, MediatorDefinition> = new Map(
  MEDIATORS.map((definition) => [definition.element, definition]),
);

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
  const list: StepList = { id, steps };
  for (const child of parent.children) {
    if (NO_MEDIATORS.includes(child.name)) continue;
    const from = steps.length + 1;
    const step = compileStep(child, reader, `${id}/${from}`, { list, from, outer });
    if (step) steps.push(step);
  }
  return list;
}

function compileStep(element: ConfigElement, reader: ArtifactReader, id: string, rest: Rest): Step | undefined {
  const definition = KNOWN_NAMESPACES.includes(element.namespace) ? definitions.get(element.name) : undefined;
  if (!definition) {
    if (element.namespace === SYNAPSE_NAMESPACE && isConnectorOperation(element)) {
      const mediate = compileConnectorOperation(element, reader, { id, rest });
      return mediate && { id, mediator: element.name, position: element.position, mediate, branches: [] };
    }
    reportUnknown(element, reader);
    return undefined;
  }
  const branches: StepList[] = [];
  const mediate = definition.compile(element, reader, {
    id,
    rest,
    compileList(inside, branch, end = 'goes-on') {
      const list = compileSteps(inside, reader, `${id}/${branch}`, end === 'goes-on' ? rest : undefined);
      branches.push(list);
      return list;
    },
  });
  return mediate && { id, mediator: element.name, position: element.position, mediate, branches };
}

function reportUnknown(element: ConfigElement, reader: ArtifactReader): void {
  const nearest = nearestName(element.name, [...definitions.keys()]);
  reader.error(
    element,
    `Unknown mediator referenced by configuration element : {${element.namespace}}${element.name}`,
    { expected: `a mediator in the namespace ${SYNAPSE_NAMESPACE}`, ...(nearest && { nearest }) },
  );
}
