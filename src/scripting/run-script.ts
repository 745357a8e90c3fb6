import { randomUUID } from 'node:crypto';
import { JobError, type Runner } from '../isolation/jobs.ts';
import {
  compileXPath,
  elementChildren,
  NODE_TYPES,
  parseXml,
  type XmlAttribute,
  type XmlElement,
  type XmlNode,
} from '../xml/index.ts';
import { isNodeSet, textOfValue } from '../xml/xpath/index.ts';
import { javaClasses } from './inside/java-classes.ts';
import { messageApi } from './inside/message-api.ts';
import { omElements } from './inside/om-elements.ts';
import { NO_SUCH_FUNCTION, scriptEnvironment } from './inside/script-environment.ts';
import { xmlObjects } from './inside/xml-objects.ts';
import { type WrittenNode, xmlTree } from './inside/xml-tree.ts';
import { inSandbox, type SandboxContext, ScriptFailure } from './sandbox.ts';
import type { Effect, PayloadPart, ScriptJob, ScriptNeed, ScriptResult, SentValue } from './script-job.ts';

const XMLNS_NAMESPACE = 'http://www.w3.org/2000/xmlns/';

/** The functions of `inside/` as text: what every script starts with. Reading it takes time, so XML objects come only if needed. */
const setup = (objects: unknown) => `(function (host, input) {
  return (${scriptEnvironment})(host, input, {
    xmlTree: ${xmlTree}, xmlObjects: ${objects}, omElements: ${omElements}, javaClasses: ${javaClasses}, messageApi: ${messageApi},
  });
})`;
const SETUP = setup('() => ({ unwrap: () => undefined })');
const SETUP_WITH_XML = setup(xmlObjects);
const NEEDS_XML = /\bXML(?:List)?\b|__e4x/;

/** Runs scripts, in an isolated thread. */
export function scriptRunner(): Runner<'script'> {
  return { run };
}

async function run(job: ScriptJob): Promise<ScriptResult> {
  let needs: ScriptNeed | undefined;
  const host = (name: string, args: readonly unknown[]): unknown => {
    const [first, second, third] = args as [string, string, unknown];
    switch (name) {
      case 'parse':
        return written(parseXml(first).documentElement as XmlElement, (second as unknown) === true);
      case 'xpath':
        return select(first, second, third as Record<string, string>);
      case 'uuid':
        return randomUUID();
      default:
        needs = first === 'payload' ? { payload: second as PayloadPart } : { entry: second };
        throw new Error(`${second} has to be sent`);
    }
  };
  const input = JSON.stringify({ message: job.message, xmlObjects: job.xmlObjects });
  const withXml = job.xmlObjects || job.sources.some(({ code }) => NEEDS_XML.test(code));
  try {
    const stopped = () => needs !== undefined;
    const output = await inSandbox(
      { setup: withXml ? SETUP_WITH_XML : SETUP, input, host, limitMs: job.limitMs, stopped },
      (sandbox) => execute(sandbox, job),
    );
    if (needs) return { ended: false, needs };
    return { ended: true, ...(JSON.parse(output) as { value: SentValue | null; effects: Effect[] }) };
  } catch (error) {
    if (needs) return { ended: false, needs };
    if (error instanceof ScriptFailure && error.errorName === NO_SUCH_FUNCTION) throw new JobError(NO_SUCH_FUNCTION);
    throw error;
  }
}

function execute(sandbox: SandboxContext, { sources, call }: ScriptJob): string {
  let result = sandbox.json(null);
  for (const { name, code } of sources) result = sandbox.evaluate(code, name);
  if (call) result = sandbox.call('call', call.name, sandbox.json(call.args));
  sandbox.settle();
  return sandbox.text(sandbox.call('finish', result));
}

/** A tree in the form that `inside/xml-tree.ts` reads. */
function written(element: XmlElement, keepSpace: boolean): WrittenNode {
  const attributes: Array<[string, string, string, string]> = [];
  for (const attribute of Array.from(element.attributes as unknown as ArrayLike<XmlAttribute>)) {
    if (attribute.namespaceURI === XMLNS_NAMESPACE) continue;
    const { prefix, localName, namespaceURI, value } = attribute;
    attributes.push([prefix ?? '', localName ?? attribute.nodeName, namespaceURI ?? '', value]);
  }
  const children: WrittenNode[] = [];
  for (let child = element.firstChild; child; child = child.nextSibling) {
    if (child.nodeType === NODE_TYPES.element) children.push(written(child as XmlElement, keepSpace));
    else if (child.nodeType === NODE_TYPES.text || child.nodeType === NODE_TYPES.cdata) {
      const text = child.nodeValue ?? '';
      if (keepSpace || text.trim() !== '' || child.nodeType === NODE_TYPES.cdata) children.push(text);
    }
  }
  return [
    element.prefix ?? '',
    element.localName ?? element.nodeName,
    element.namespaceURI ?? '',
    attributes,
    children,
  ];
}

function select(
  text: string,
  expression: string,
  namespaces: Readonly<Record<string, string>>,
): readonly WrittenNode[] | { readonly scalar: string } {
  const document = parseXml(text);
  const compiled = compileXPath<XmlNode>(expression, {
    namespaces,
    contextNode: (node) => node,
    variable: () => undefined,
    function: () => undefined,
  });
  const value = compiled.evaluate(elementChildren(document)[0] ?? document);
  if (!isNodeSet(value)) return { scalar: textOfValue(value) };
  return value.map((node) =>
    node.nodeType === NODE_TYPES.element ? written(node as XmlElement, true) : (node.nodeValue ?? ''),
  );
}
