import { customProcessorKind } from '../extensions/custom-processor.ts';
import { CLASS_NOT_MAPPED, mappedModule } from '../extensions/mapped-module.ts';
import { DESCRIPTION, enableSwitch, nonEmptyText, readAttributes, text } from '../grammar/attributes.ts';
import { nearestName, type Position } from '../grammar/diagnostic.ts';
import type { ConfigElement } from '../grammar/element.ts';
import {
  type ParametersOf,
  type ParameterTypes,
  readParameters,
  type WrittenParameter,
  writtenParameters,
} from '../grammar/parameters.ts';
import type { ArtifactReader } from '../grammar/reader.ts';
import type { ProcessorKind } from '../processors/component.ts';
import { findProcessorKind, processorClassNames } from '../processors/index.ts';
import { customKind, ownParameters } from './custom-kind.ts';

/** A `<messageProcessor>` as read from its artifact: everything that opening it needs. */
export interface MessageProcessorDefinition {
  readonly name: string;
  readonly position: Position;
  readonly kind: ProcessorKind;
  readonly storeName: string;
  /** Read for every spelling of a forwarding class (REQ-01). */
  readonly targetEndpoint: string | undefined;
  readonly parameters: ParametersOf<ParameterTypes>;
  /** All parameters as written (trimmed), also unknown ones. */
  readonly written: ReadonlyMap<string, string>;
}

const ATTRIBUTES = {
  class: text({
    required: true,
    missing: "Can't create Message processor without a provider class",
    doc: 'The kind of processor.',
  }),
  name: nonEmptyText({ required: true, missing: "Can't create Message processor without a name ", doc: 'Its name.' }),
  messageStore: nonEmptyText({
    required: true,
    missing: "Can't create a message processor with out a message Store",
    doc: 'The store that it empties; it need not exist yet.',
  }),
  targetEndpoint: nonEmptyText({ doc: 'The endpoint that it forwards to.' }),
  statistics: enableSwitch('Collects statistics.'),
  trace: enableSwitch('Traces messages.'),
  description: DESCRIPTION,
} as const;

/** Reads a `<messageProcessor>` (spec stores 1.2); undefined after an error. */
export function readMessageProcessor(
  element: ConfigElement,
  reader: ArtifactReader,
): MessageProcessorDefinition | undefined {
  const attributes = readAttributes(element, ATTRIBUTES, reader);
  reader.warnUnknownChildren(element, ['description', 'parameter']);
  const kind = readKind(element, reader);
  const written = withExpressions(writtenParameters(element, reader));
  const parameters = kind && readParameters(element, kind.parameters, ownParameters(kind, written), reader);
  if (!attributes || !kind || !parameters) return undefined;
  const { name, messageStore, targetEndpoint } = attributes;
  reader.refer('messageStore', messageStore, element, 'messageStore');
  if (targetEndpoint !== undefined) reader.refer('endpoint', targetEndpoint, element, 'targetEndpoint');
  const values = new Map([...written.values()].map((parameter) => [parameter.name, parameter.value]));
  return {
    name,
    position: element.position,
    kind,
    storeName: messageStore,
    targetEndpoint,
    parameters,
    written: values,
  };
}

/** A parameter that is written as an expression has that for its text (spec stores 1.2). */
function withExpressions(written: ReadonlyMap<string, WrittenParameter>): Map<string, WrittenParameter> {
  const found = [...written].map(([name, parameter]) => {
    const expression = parameter.element.attribute('expression')?.trim();
    return [name, expression === undefined ? parameter : { ...parameter, value: expression }] as const;
  });
  return new Map(found);
}

function readKind(element: ConfigElement, reader: ArtifactReader): ProcessorKind | undefined {
  const className = element.attribute('class');
  if (className === undefined) return undefined;
  const kind = findProcessorKind(className);
  if (kind) return kind;
  const mapped = mappedModule(className, reader);
  if (mapped !== 'not-mapped') return customKind(element, mapped, reader, customProcessorKind);
  const classes = processorClassNames();
  const nearest = nearestName(className, classes);
  reader.error(element, `Error while creating Message processor: unknown class '${className}'`, {
    attribute: 'class',
    expected: `one of: ${classes.join(', ')}. ${CLASS_NOT_MAPPED('openProcessor')}`,
    ...(nearest && { nearest }),
  });
  return undefined;
}
