import type { ConfigElement } from '../grammar/element.ts';
import type { ArtifactReader } from '../grammar/reader.ts';
import type { MessageContext } from '../message/message-context.ts';
import { SETTING_ATTRIBUTES, SETTING_CHILDREN } from './settings.ts';

/** What a kind of leaf endpoint contributes to {@link LeafDefinition}. */
export interface LeafParts {
  readonly staticAddress: string | undefined;
  readonly method?: string;
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
