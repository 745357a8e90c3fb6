/*
 * Runs inside the sandbox, see `xml-tree.ts`: self-contained. `mc`, the message as scripts know it (spec mediators 3.17). It works on
 * what was sent along and notes down what is done to it; the message itself is changed outside, after the script.
 */

import type { Address, Effect, PayloadPart, SentMessage, SentValue } from '../script-job.ts';
import type { javaClasses as javaClassesOf } from './java-classes.ts';
import type { OmElements } from './om-elements.ts';
import type { XmlObjects } from './xml-objects.ts';
import type { ScriptElement, WrittenNode, XmlTree } from './xml-tree.ts';

/** What the sandbox can ask of outside. */
export interface Outside {
  /** Ends the run: it is started again with the missing part. */
  need(what: 'payload' | 'entry', name: string): never;
  /** What an XPath expression selects in a document: nodes, or text for a scalar. */
  xpath(
    xml: string,
    expression: string,
    namespaces: Readonly<Record<string, string>>,
  ): readonly WrittenNode[] | { readonly scalar: string };
  uuid(): string;
}

export interface MessageApi {
  readonly mc: object;
  readonly globals: Readonly<Record<string, unknown>>;
  receive(value: SentValue): unknown;
  send(value: unknown): SentValue | null;
  /** What was done, when the script has ended. */
  effects(): Effect[];
}

export function messageApi(
  sent: SentMessage,
  xmlObjectsWanted: boolean,
  tree: XmlTree,
  xml: XmlObjects,
  outside: Outside,
  { om, javaClasses }: { readonly om: OmElements; readonly javaClasses: typeof javaClassesOf },
): MessageApi {
  const MAX_EFFECTS = 10_000;
  const done: Effect[] = [];
  const properties: Record<string, unknown> = Object.create(null);
  const variables: Record<string, unknown> = Object.create(null);
  const addresses: Partial<Record<Address, string>> = { ...sent.addresses };
  let { messageId, isResponse } = sent;
  let body: string | null | undefined = sent.payload.body;
  let json: { value: unknown } | undefined;
  let envelope: { root: ScriptElement; text: string } | undefined;

  const note = (effect: Effect) => {
    if (done.push(effect) > MAX_EFFECTS)
      throw new RangeError(`a script may do at most ${MAX_EFFECTS} things to a message`);
  };

  const { OmElement, listOf } = om;

  /** XML as text, of whatever a script uses for it. */
  function markupOf(value: unknown): string {
    const nodes = xml.unwrap(value);
    if (nodes) return nodes.map((node) => tree.write(node)).join('');
    return String(value);
  }

  function receive(value: SentValue): unknown {
    if (value.kind === 'json') return JSON.parse(value.value);
    if (value.kind !== 'xml') return value.value;
    return xmlObjectsWanted ? xml.XML(value.value) : new OmElement(tree.parse(value.value, true));
  }

  function send(value: unknown): SentValue | null {
    if (value === undefined || value === null) return null;
    if (typeof value === 'string') return { kind: 'text', value };
    if (typeof value === 'boolean') return { kind: 'boolean', value };
    if (typeof value === 'number') return { kind: 'number', value };
    if (value instanceof OmElement) return { kind: 'xml', value: markupOf(value) };
    const nodes = xml.unwrap(value);
    if (nodes) {
      const isOne = nodes.length === 1 && nodes[0]?.kind === 'element';
      return isOne ? { kind: 'xml', value: markupOf(value) } : { kind: 'text', value: String(value) };
    }
    const text = JSON.stringify(value);
    return text === undefined ? { kind: 'text', value: String(value) } : { kind: 'json', value: text };
  }

  function part(name: PayloadPart): string | null {
    const present = sent.payload[name];
    return present === undefined ? outside.need('payload', name) : present;
  }

  function payloadJson(): { value: unknown } {
    if (!json) {
      const text = part('json');
      json = { value: text === null ? {} : JSON.parse(text) };
    }
    return json;
  }

  function payloadXml(): string | null {
    if (envelope) return bodyOf(envelope.root);
    if (body === undefined) body = part('body');
    return body;
  }

  function bodyOf(root: ScriptElement): string | null {
    const first = new OmElement(root).getBody()?.getFirstElement();
    return first ? first.toString() : null;
  }

  /** The envelope is edited in place by those who ask for it. */
  function envelopeTree(): ScriptElement {
    if (!envelope) {
      const root = tree.parse(part('envelope') ?? '', true);
      envelope = { root, text: '' };
      if (body !== undefined && body !== sent.payload.body) replaceBodyOf(root, body);
      envelope.text = tree.write(root);
    }
    return envelope.root;
  }

  function replaceBodyOf(root: ScriptElement, content: string | null): void {
    const target = new OmElement(root).getBody()?.node;
    if (!target) return;
    const first = target.children.find((child) => child.kind === 'element');
    const at = first ? target.children.indexOf(first) : target.children.length;
    target.children.splice(
      at,
      first ? 1 : 0,
      ...(content === null ? [] : [tree.copy(tree.parse(content, true), target)]),
    );
  }

  /** An edited envelope is an effect of its own; noted before anything that replaces what is in it. */
  function noteEnvelope(): void {
    if (!envelope) return;
    const text = tree.write(envelope.root);
    if (text !== envelope.text) note({ do: 'set-envelope', value: text });
    envelope.text = text;
  }

  function address(name: Address): string | null {
    return addresses[name] ?? null;
  }

  function endpointReference(name: Address) {
    const present = address(name);
    return present === null ? null : { getAddress: () => present, toString: () => present };
  }

  function setAddress(name: Address, value: unknown): void {
    const getAddress = (value as { getAddress?: () => unknown } | null)?.getAddress;
    const text = String(typeof getAddress === 'function' ? getAddress.call(value) : value);
    addresses[name] = text;
    note({ do: 'set-address', address: name, value: text });
  }

  function setProperty(name: unknown, value: unknown, scope: unknown = 'default'): void {
    const given = send(value);
    // As everywhere, null leaves the old value.
    if (!given) return;
    if (scope === 'default') properties[String(name)] = value;
    note({ do: 'set-property', scope: String(scope), name: String(name), value: given });
  }

  /** Text that is itself a JSON document is the document, not a JSON string (MREQ-35). */
  function setPayloadJson(value: unknown): void {
    let text = typeof value === 'string' ? value : JSON.stringify(value ?? null);
    if (typeof value === 'string') {
      try {
        const parsed: unknown = JSON.parse(value);
        if (typeof parsed !== 'object' || parsed === null) text = JSON.stringify(value);
      } catch {
        text = JSON.stringify(value);
      }
    }
    noteEnvelope();
    json = { value: JSON.parse(text) };
    note({ do: 'set-json', value: text });
  }

  function selected(
    expression: unknown,
    context: unknown,
    namespaces: Readonly<Record<string, string>>,
  ): readonly WrittenNode[] | { readonly scalar: string } {
    const isMessage = context === mc || context === undefined || context === null;
    const text = isMessage ? (envelope ? tree.write(envelope.root) : (part('envelope') ?? '')) : markupOf(context);
    return outside.xpath(text, String(expression), namespaces);
  }

  function xpathResult(expression: unknown) {
    const namespaces: Record<string, string> = {};
    const nodes = (context: unknown) => {
      const found = selected(expression, context, namespaces);
      if ('scalar' in found) return [];
      return found.map((written) => {
        const node = tree.build(written, undefined);
        return node.kind === 'element'
          ? new OmElement(node)
          : { getText: () => node.value, toString: () => node.value };
      });
    };
    const stringValueOf = (context: unknown): string => {
      const found = selected(expression, context, namespaces);
      if ('scalar' in found) return found.scalar;
      const [first] = found;
      return first === undefined ? '' : tree.text(tree.build(first, undefined));
    };
    return {
      selectNodes: (context: unknown) => listOf(nodes(context)),
      selectSingleNode: (context: unknown) => nodes(context)[0] ?? null,
      evaluate: (context: unknown) => listOf(nodes(context)),
      stringValueOf,
      numberValueOf: (context: unknown) => Number(stringValueOf(context)),
      booleanValueOf: (context: unknown) => {
        const found = selected(expression, context, namespaces);
        return 'scalar' in found ? found.scalar === 'true' : found.length > 0;
      },
      addNamespace: (prefix: unknown, uri: unknown) => {
        namespaces[String(prefix)] = String(uri);
      },
      toString: () => String(expression),
    };
  }

  function entry(key: unknown): string | null {
    const name = String(key);
    return Object.hasOwn(sent.entries, name) ? (sent.entries[name] ?? null) : outside.need('entry', name);
  }

  function logger(level: 'info' | 'warn' | 'error' | 'debug') {
    return (...words: unknown[]) => note({ do: 'log', level, text: words.map(shown).join(' ') });
  }

  function shown(value: unknown): string {
    if (value instanceof OmElement || xml.unwrap(value) || typeof value !== 'object') return String(value);
    return JSON.stringify(value) ?? String(value);
  }

  const log = {
    info: logger('info'),
    warn: logger('warn'),
    error: logger('error'),
    debug: logger('debug'),
    trace: logger('debug'),
  };

  for (const [name, value] of Object.entries(sent.properties)) {
    Object.defineProperty(properties, name, {
      get: () => receive(value),
      set: replace(properties, name),
      enumerable: true,
      configurable: true,
    });
  }
  for (const [name, value] of Object.entries(sent.variables)) {
    Object.defineProperty(variables, name, {
      get: () => receive(value),
      set: replace(variables, name),
      enumerable: true,
      configurable: true,
    });
  }

  function replace(target: Record<string, unknown>, name: string) {
    return (value: unknown) => {
      Object.defineProperty(target, name, { value, writable: true, enumerable: true, configurable: true });
    };
  }

  const mc = {
    getPayloadXML() {
      const text = payloadXml();
      if (text === null || !xmlObjectsWanted) return text;
      return xml.XML(text);
    },
    setPayloadXML(value: unknown) {
      const text = markupOf(value);
      tree.parse(text, true);
      noteEnvelope();
      body = text;
      if (envelope) {
        replaceBodyOf(envelope.root, text);
        envelope.text = tree.write(envelope.root);
      }
      note({ do: 'set-xml', value: text });
    },
    getPayloadJSON: () => payloadJson().value,
    setPayloadJSON: setPayloadJson,
    getPayloadText: () => (json ? JSON.stringify(json.value) : (part('json') ?? tree.write(envelopeTree()))),
    getEnvelope: () => new OmElement(envelopeTree()),
    getEnvelopeXML: () => tree.write(envelopeTree()),
    getJsonText: () => properties.JSON_TEXT ?? null,
    setJsonText: (_: unknown, value: unknown) => {
      setProperty('JSON_TEXT', value);
    },
    jsonObject: () => properties.JSON_OBJECT ?? null,
    setJsonObject: (_: unknown, value: unknown) => {
      setProperty('JSON_OBJECT', value);
      return true;
    },
    getProperty: (name: unknown) => properties[String(name)] ?? null,
    setProperty,
    removeProperty(name: unknown, scope: unknown = 'default') {
      if (scope === 'default') delete properties[String(name)];
      note({ do: 'remove-property', scope: String(scope), name: String(name) });
    },
    getPropertyKeySet: () => listOf(Object.keys(properties)),
    getVariable: (name: unknown) => variables[String(name)] ?? null,
    setVariable(name: unknown, value: unknown) {
      const given = send(value);
      if (!given) return;
      variables[String(name)] = value;
      note({ do: 'set-variable', name: String(name), value: given });
    },
    getVariableKeySet: () => listOf(Object.keys(variables)),
    addHeader: (mustUnderstand: unknown, value: unknown) =>
      note({
        do: 'add-header',
        xml: markupOf(value),
        mustUnderstand: mustUnderstand === true || mustUnderstand === 'true',
      }),
    getTo: () => endpointReference('to'),
    setTo: (value: unknown) => setAddress('to', value),
    getFrom: () => endpointReference('from'),
    setFrom: (value: unknown) => setAddress('from', value),
    getReplyTo: () => endpointReference('replyTo'),
    setReplyTo: (value: unknown) => setAddress('replyTo', value),
    getFaultTo: () => endpointReference('faultTo'),
    setFaultTo: (value: unknown) => setAddress('faultTo', value),
    getSoapAction: () => address('action'),
    setSoapAction: (value: unknown) => setAddress('action', value),
    getWSAAction: () => address('action'),
    setWSAAction: (value: unknown) => setAddress('action', value),
    getMessageID: () => messageId,
    setMessageID(value: unknown) {
      messageId = String(value);
      note({ do: 'set-message-id', value: messageId });
    },
    getRelatesTo: () => sent.relatesTo ?? null,
    isResponse: () => isResponse,
    setResponse(value: unknown) {
      isResponse = value === true;
      note({ do: 'set-response', value: isResponse });
    },
    isDoingPOX: () => sent.isRest,
    isDoingREST: () => sent.isRest,
    isDoingGET: () => sent.isGet,
    isSOAP11: () => sent.isSoap11,
    getEntry: (key: unknown) => entry(key),
    getLocalEntry: (key: unknown) => entry(key),
    getServiceLog: () => log,
    getXpathResult: (expression: unknown) => xpathResult(expression),
    parseXml: (text: unknown) => new OmElement(tree.parse(String(text), true)),
    getParsedOMElement: (text: unknown) => new OmElement(tree.parse(String(text), true)),
  };

  const java = javaClasses({ uuid: () => outside.uuid(), sleep: (ms) => note({ do: 'sleep', ms }) });
  const print = logger('info');

  return {
    mc,
    globals: {
      ...java,
      print,
      console: log,
    },
    receive,
    send,
    effects() {
      noteEnvelope();
      return done;
    },
  };
}
