import { expression } from '../expressions/attribute-types.ts';
import { text } from '../grammar/attributes.ts';
import type { ConfigElement } from '../grammar/element.ts';
import type { ArtifactReader } from '../grammar/reader.ts';
import { logger } from '../logging/index.ts';
import { aboutMessage } from '../mediation/about-message.ts';
import { always, type Mediate, type MediatorCompilation, mediator } from '../mediation/component.ts';
import { MediationError } from '../message/errors.ts';
import type { MessageContext } from '../message/message-context.ts';
import { convertProperty } from '../message/property-conversion.ts';
import { documentOf } from '../message/soap.ts';
import { cloneInto, createElement, elementChildren, type XmlElement } from '../xml/index.ts';

const log = logger('HeaderMediator');

/** The names without a prefix, which are WS-Addressing's, and where a message keeps them. */
const ADDRESSING = {
  To: 'to',
  From: 'from',
  Action: 'action',
  FaultTo: 'faultTo',
  ReplyTo: 'replyTo',
  RelatesTo: 'relatesTo',
} as const;
type AddressingName = keyof typeof ADDRESSING;

const ATTRIBUTES = {
  name: text({ doc: `${Object.keys(ADDRESSING).join(', ')}, prefix:local, or the name of an HTTP header.` }),
  value: text({ doc: 'The value, literally.' }),
  expression: expression({ doc: 'The expression that gives the value.' }),
  action: text({ doc: '`remove` removes the header; everything else sets it.', default: 'set' }),
  scope: text({ doc: '`default` for SOAP headers or `transport` for HTTP headers.', default: 'default' }),
  type: text({ doc: '`OM`: the value is XML.' }),
} as const;

type Compilation = MediatorCompilation<typeof ATTRIBUTES>;
type ValueFor = (message: MessageContext) => string;

/** Sets or removes an addressing value, a SOAP header block or an HTTP header (spec mediators 3.8). */
export const header = mediator({
  element: 'header',
  doc: 'Sets or removes an addressing value, a SOAP header block or an HTTP header.',
  attributes: ATTRIBUTES,
  children: 'any',
  compile(compilation) {
    const { element, attributes, reader } = compilation;
    const { scope, action } = attributes;
    const name = attributes.name?.trim();
    if (scope !== 'default' && scope !== 'transport') {
      const known = "Only 'transport' or 'default' values are allowed for attribute scope for a header mediator";
      reader.error(element, `${known}, Unsupported scope ${scope}`, {
        attribute: 'scope',
        expected: 'one of: default, transport',
      });
      return undefined;
    }
    const blocks = element.children.filter((child) => child.name !== 'description');
    if (!name) return blocks.length > 0 ? embedded(blocks, compilation) : withoutName(element, reader);
    const remove = action === 'remove';
    const value = remove ? () => '' : readValue(compilation, name, scope);
    if (!value) return undefined;
    const blind = (scope === 'transport' && !/^content-/i.test(name)) || isAddressing(name);
    if (blind && (remove || attributes.value !== undefined || !attributes.expression?.needsBody))
      compilation.leavesBody();
    if (scope === 'transport') return transportHeader(name, remove ? undefined : value);
    if (isAddressing(name)) return addressingHeader(name, remove ? undefined : value);
    return soapHeader(compilation, name, remove ? undefined : value);
  },
});

function withoutName(element: ConfigElement, reader: ArtifactReader): undefined {
  reader.error(element, 'A valid name attribute is required for the header mediator', {
    expected: 'name="…" or an XML child',
  });
}

function isAddressing(name: string): name is AddressingName {
  return Object.hasOwn(ADDRESSING, name);
}

function readValue({ attributes, element, reader }: Compilation, name: string, scope: string): ValueFor | undefined {
  const { value, expression: computed } = attributes;
  if (value !== undefined) return () => value;
  if (!computed) {
    reader.error(element, "A 'value' or 'expression' attribute is required for a [set] header mediator", {
      expected: 'value="…" or expression="…"',
    });
    return undefined;
  }
  const kind = scope === 'transport' ? 'HTTP' : 'SOAP';
  return (message) => {
    const evaluated = computed.stringValue(message);
    if (evaluated === null)
      log.warn(`Setting ${kind} header : ${name} to empty as evaluated value is null`, aboutMessage(message));
    return evaluated ?? '';
  };
}

function transportHeader(name: string, value: ValueFor | undefined): Mediate {
  if (!value) return always((message) => message.headers.delete(name));
  return always((message) => message.headers.set(name, value(message)));
}

function addressingHeader(name: AddressingName, value: ValueFor | undefined): Mediate {
  const field = ADDRESSING[name];
  return always((message) => {
    message[field] = value?.(message);
  });
}

interface BlockName {
  readonly namespace: string;
  readonly qualified: string;
  readonly local: string;
}

function soapHeader(compilation: Compilation, name: string, value: ValueFor | undefined): Mediate | undefined {
  const block = readBlockName(compilation, name);
  if (!block) return undefined;
  if (!value) return always((message) => message.payload.editHeader((parent) => removeBlocks(parent, block)));
  const asXml = compilation.attributes.type?.toUpperCase() === 'OM';
  // Written out, `set` replaces; without it another block is added, as the reference always does (MREQ-30).
  const replace = compilation.element.attribute('action') === 'set';
  return always((message) => {
    const content = value(message);
    const child = asXml ? parsed(content) : undefined;
    message.payload.editHeader((parent) => {
      if (replace) removeBlocks(parent, block);
      const made = createElement(documentOf(parent), block.namespace, block.qualified);
      if (child) made.appendChild(cloneInto(documentOf(parent), child));
      else made.appendChild(documentOf(parent).createTextNode(content));
      parent.appendChild(made);
    });
  });
}

function parsed(content: string): XmlElement {
  const value = convertProperty(content, 'OM', { truncate: false });
  if (value === null || typeof value !== 'object') throw new MediationError('The header value is no XML element');
  return value as XmlElement;
}

function readBlockName({ element, reader }: Compilation, name: string): BlockName | undefined {
  const colon = name.indexOf(':');
  if (colon === -1) {
    reader.error(
      element,
      `Invalid SOAP header: ${name} specified at the header mediator. All SOAP headers must be namespace qualified.`,
      {
        attribute: 'name',
        expected: `one of: ${Object.keys(ADDRESSING).join(', ')}, or prefix:name, or scope="transport"`,
      },
    );
    return undefined;
  }
  const prefix = name.slice(0, colon);
  const namespace = element.prefixes()[prefix];
  if (namespace === undefined) {
    reader.error(element, `Invalid namespace prefix '${prefix}' in name attribute`, {
      attribute: 'name',
      expected: `xmlns:${prefix}="…" on the element or around it`,
    });
    return undefined;
  }
  return { namespace, qualified: name, local: name.slice(colon + 1) };
}

function removeBlocks(parent: XmlElement, { namespace, local }: BlockName): void {
  for (const block of elementChildren(parent)) {
    if (block.localName === local && block.namespaceURI === namespace) parent.removeChild(block);
  }
}

/** Each child of the mediator becomes a header block, a copy for every message. */
function embedded(blocks: readonly ConfigElement[], { attributes, element, reader }: Compilation): Mediate | undefined {
  if (attributes.action === 'remove') return withoutName(element, reader);
  const nodes = blocks.map(({ node }) => node);
  return always((message) => {
    message.payload.editHeader((parent) => {
      for (const node of nodes) parent.appendChild(cloneInto(documentOf(parent), node));
    });
  });
}
