import { JobError } from '../isolation/jobs.ts';
import { elementChildren, parseXml, serializeXml, type XmlElement, XmlSyntaxError } from '../xml/index.ts';
import { NOT_COMPILED } from './xslt-job.ts';

const XSLT_NAMESPACE = 'http://www.w3.org/1999/XSL/Transform';
/** Elements that write files: namespace and local names. */
const WRITERS: ReadonlyArray<readonly [RegExp, RegExp]> = [
  [/^http:\/\/exslt\.org\/common$/, /^document$/],
  [/saxon/i, /^output$/],
  [/xalan/i, /^(?:write|open|close)$/],
  [/jclark\.com\/xt$/, /^document$/],
  [/^http:\/\/www\.w3\.org\/1999\/XSL\/Transform$/, /^result-document$/],
];

type Texts = Readonly<Record<string, string>>;

/** A stylesheet and what it may import, as the library is to have them. */
export interface StylesheetSource {
  readonly text: string;
  readonly resources: Texts;
  /** `xsl:output method="text"`, the stylesheet's own or an imported one. */
  readonly isText: boolean;
}

/**
 * Looks at a stylesheet before the library does: well-formed, without DOCTYPE, nothing in it that writes files; and finds the output
 * method, which the library does not tell. HTML is written as XML in UTF-8, because it becomes a payload.
 * @throws JobError
 */
export function readStylesheet(text: string, resources: Texts): StylesheetSource {
  const main = prepare(rootOf(text));
  let { method } = main;
  const prepared: Record<string, string> = {};
  for (const [location, content] of Object.entries(resources)) {
    const imported = prepare(rootOf(content));
    prepared[location] = imported.text;
    method ??= imported.method;
  }
  return { text: main.text, resources: prepared, isText: method === 'text' };
}

function prepare(root: XmlElement): { text: string; method: string | undefined } {
  refuseWriters(root);
  let method: string | undefined;
  for (const output of elementChildren(root)) {
    if (output.localName !== 'output' || output.namespaceURI !== XSLT_NAMESPACE) continue;
    method = output.getAttribute('method') ?? method;
    if (method === 'html' || method === 'xhtml') output.setAttribute('method', 'xml');
    if (output.hasAttribute('encoding')) output.setAttribute('encoding', 'UTF-8');
  }
  return { text: serializeXml(root), method };
}

function rootOf(text: string): XmlElement {
  try {
    return parseXml(text).documentElement as XmlElement;
  } catch (cause) {
    if (!(cause instanceof XmlSyntaxError)) throw cause;
    throw new JobError(`${NOT_COMPILED}: ${cause.message}`, { cause });
  }
}

function refuseWriters(root: XmlElement): void {
  const waiting = [root];
  for (let element = waiting.pop(); element; element = waiting.pop()) {
    const { namespaceURI, localName, nodeName } = element;
    if (WRITERS.some(([namespace, name]) => namespace.test(namespaceURI ?? '') && name.test(localName ?? ''))) {
      throw new JobError(`${NOT_COMPILED}: <${nodeName}> is refused: a stylesheet may not write files`);
    }
    waiting.push(...elementChildren(element));
  }
}
