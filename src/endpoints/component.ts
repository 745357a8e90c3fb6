import { readAttributes, type ValuesOf, type ValueTypes } from '../grammar/attributes.ts';
import type { ConfigElement } from '../grammar/element.ts';
import type { ArtifactReader } from '../grammar/reader.ts';
import type { MessageContext } from '../message/message-context.ts';
import type { EndpointAuthentication } from './authentication.ts';
import type { Endpoint } from './endpoint.ts';
import type { GroupFrame } from './group.ts';
import { SETTING_ATTRIBUTES, SETTING_CHILDREN } from './settings.ts';

/** What a kind of leaf endpoint contributes to {@link LeafDefinition}. */
export interface LeafParts {
  readonly staticAddress: string | undefined;
  readonly method?: string;
  readonly authentication?: EndpointAuthentication;
  /** A promise only where the address itself must be fetched. */
  address(message: MessageContext): string | undefined | Promise<string>;
}

/** A kind of endpoint with one address at a time, declared in one file. */
export interface EndpointKind {
  readonly element: 'address' | 'http' | 'wsdl' | 'default';
  /** Reads the definition element; undefined after an error. */
  read(element: ConfigElement, reader: ArtifactReader): LeafParts | undefined;
}

/** Declares a kind of leaf endpoint; unknown attributes and children of its element are warned about. */
export function endpointKind(declaration: {
  element: EndpointKind['element'];
  attributes: readonly string[];
  children?: readonly string[];
  read(element: ConfigElement, reader: ArtifactReader): LeafParts | undefined;
}): EndpointKind {
  return {
    element: declaration.element,
    read(element, reader) {
      reader.warnUnknownAttributes(element, [...declaration.attributes, ...SETTING_ATTRIBUTES]);
      reader.warnUnknownChildren(element, [...SETTING_CHILDREN, ...(declaration.children ?? [])]);
      return declaration.read(element, reader);
    },
  };
}

/** What a group's `read` is given. */
export interface GroupReading<A extends ValueTypes> {
  /** The definition element, such as `<failover>`. */
  readonly element: ConfigElement;
  readonly attributes: ValuesOf<A>;
  readonly reader: ArtifactReader;
  readonly frame: GroupFrame;
  /** The `<session>` beside the definition, if there is one. */
  readonly session: ConfigElement | undefined;
  /** Reads an `<endpoint>` inside; undefined after an error. */
  readEndpoint(child: ConfigElement): Endpoint | undefined;
}

/** A kind of endpoint that sends to other endpoints, declared in one file. */
export interface GroupKind {
  readonly element: 'loadbalance' | 'failover' | 'recipientlist';
  /** One or two sentences for the generated reference. */
  readonly doc: string;
  readonly attributes: ValueTypes;
  /** Reads the definition element; undefined after an error. */
  read(reading: Omit<GroupReading<ValueTypes>, 'attributes'>): Endpoint | undefined;
}

/** Declares a kind of group; unknown attributes and children of its element are warned about. */
export function groupKind<const A extends ValueTypes>(declaration: {
  element: GroupKind['element'];
  doc: string;
  attributes: A;
  children: readonly string[];
  read(reading: GroupReading<A>): Endpoint | undefined;
}): GroupKind {
  const { element: name, doc, attributes, children } = declaration;
  return {
    element: name,
    doc,
    attributes,
    read(reading) {
      const { element, reader } = reading;
      const values = readAttributes(element, attributes, reader);
      reader.warnUnknownChildren(element, children);
      return values && declaration.read({ ...reading, attributes: values as unknown as ValuesOf<A> });
    },
  };
}
