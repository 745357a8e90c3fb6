import type { XmlBufferInputProvider, XmlDocument, XsdValidator } from 'libxml2-wasm';
import { MediationError } from '../../message/errors.ts';
import { elementChildren, parseXml, serializeXml, type XmlElement, XmlSyntaxError } from '../../xml/index.ts';

const XSD_NAMESPACE = 'http://www.w3.org/2001/XMLSchema';
const LOADING: ReadonlySet<string> = new Set(['import', 'include', 'redefine']);
/** Compiled schemas that are kept; the one that was not used for longest makes room and is disposed of. */
const MAX_KEPT = 32;
/** Documents that one schema may be made of. */
const MAX_DOCUMENTS = 100;

type LibXml2 = typeof import('libxml2-wasm');

/** Gives the text that stands behind a `schemaLocation`; undefined when the artifact maps it to nothing. */
export type ResolveLocation = (location: string) => string | undefined;

/** A compiled W3C XML Schema 1.0. */
export interface XsdSchema {
  /** What is wrong with a document, one line each; empty when it is valid. @throws MediationError when it cannot be checked */
  problems(xml: string): string[];
}

let library: Promise<Loaded> | undefined;

interface Loaded {
  readonly libxml2: LibXml2;
  /** Schemas in memory by their made-up names: the only thing that libxml2 can load. */
  readonly provider: XmlBufferInputProvider;
}

/** The library is loaded when a message first needs it. */
function load(): Promise<Loaded> {
  library ??= import('libxml2-wasm').then((libxml2) => {
    const provider = new libxml2.XmlBufferInputProvider({});
    libxml2.xmlRegisterInputProvider(provider);
    return { libxml2, provider };
  });
  return library;
}

const kept = new Map<string, XsdValidator>();
let counter = 0;

/**
 * Compiles schemas together, or finds what was compiled from the same texts before. Nothing is ever fetched: imports and includes lead
 * to what `resolve` gives, or nowhere.
 * @throws MediationError in the reference's words when a schema is broken
 */
export async function xsdSchema(
  texts: readonly string[],
  resolve: ResolveLocation,
  cache: boolean,
): Promise<XsdSchema> {
  const loaded = await load();
  const documents = collect(texts, resolve);
  const key = documents.map(({ text }) => `${text.length}:${text}`).join('\n');
  const known = kept.get(key);
  if (known) {
    kept.delete(key);
    kept.set(key, known);
    return { problems: (xml) => problemsOf(loaded.libxml2, known, xml) };
  }
  const compiled = compileSchema(loaded, documents);
  if (cache) {
    keep(key, compiled);
    return { problems: (xml) => problemsOf(loaded.libxml2, compiled, xml) };
  }
  return {
    problems(xml) {
      try {
        return problemsOf(loaded.libxml2, compiled, xml);
      } finally {
        compiled.dispose();
      }
    },
  };
}

function keep(key: string, schema: XsdValidator): void {
  kept.set(key, schema);
  const [oldest] = kept;
  if (kept.size <= MAX_KEPT || !oldest) return;
  kept.delete(oldest[0]);
  oldest[1].dispose();
}

interface SchemaDocument {
  /** Its made-up name. */
  readonly name: string;
  text: string;
}

/** The main document first, then everything that it leads to, with made-up names for locations. */
function collect(texts: readonly string[], resolve: ResolveLocation): SchemaDocument[] {
  const documents: SchemaDocument[] = [];
  const byText = new Map<string, SchemaDocument>();
  const add = (text: string): SchemaDocument => {
    const known = byText.get(text);
    if (known) return known;
    if (documents.length >= MAX_DOCUMENTS) throw broken(`more than ${MAX_DOCUMENTS} documents`);
    const document: SchemaDocument = { name: `schema:${documents.length}`, text: '' };
    documents.push(document);
    byText.set(text, document);
    document.text = relocated(text, (location) => {
      const found = resolve(location);
      return found === undefined ? undefined : add(found).name;
    });
    return document;
  };
  const [only] = texts;
  if (texts.length === 1 && only !== undefined) {
    add(only);
    return documents;
  }
  const main: SchemaDocument = { name: 'schema:0', text: '' };
  documents.push(main);
  main.text = togetherIn(
    texts.map((text) => ({ namespace: targetNamespace(text), name: add(text).name })),
    documents,
  );
  return documents;
}

/** A schema that brings several in: one import per namespace, behind which those of the same namespace include each other. */
function togetherIn(schemas: ReadonlyArray<{ namespace: string; name: string }>, documents: SchemaDocument[]): string {
  let content = '';
  for (const [namespace, own] of Map.groupBy(schemas, (schema) => schema.namespace)) {
    const includes = [...new Set(own.map(({ name }) => name))].map((name) => `<xs:include schemaLocation="${name}"/>`);
    if (namespace === '') {
      content += includes.join('');
      continue;
    }
    const shown = namespace.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
    const name = `schema:${documents.length}`;
    const text = `<xs:schema xmlns:xs="${XSD_NAMESPACE}" targetNamespace="${shown}">${includes.join('')}</xs:schema>`;
    documents.push({ name, text });
    content += `<xs:import namespace="${shown}" schemaLocation="${name}"/>`;
  }
  return `<xs:schema xmlns:xs="${XSD_NAMESPACE}">${content}</xs:schema>`;
}

function targetNamespace(text: string): string {
  return rootOf(text).getAttribute('targetNamespace') ?? '';
}

function rootOf(text: string): XmlElement {
  try {
    return parseXml(text).documentElement as XmlElement;
  } catch (cause) {
    if (cause instanceof XmlSyntaxError) throw broken(cause.message, cause);
    throw cause;
  }
}

/** The schema with its locations replaced; those that lead nowhere are taken out, so that nothing is looked for. */
function relocated(text: string, rename: (location: string) => string | undefined): string {
  const root = rootOf(text);
  for (const child of elementChildren(root)) {
    if (child.namespaceURI !== XSD_NAMESPACE || !LOADING.has(child.localName ?? '')) continue;
    const location = child.getAttribute('schemaLocation');
    if (location === null) continue;
    const name = rename(location);
    if (name !== undefined) child.setAttribute('schemaLocation', name);
    else if (child.localName === 'import') child.removeAttribute('schemaLocation');
    else throw broken(`'${location}' is included, and no <resource location="${location}" key="…"/> says what it is`);
  }
  return serializeXml(root);
}

function compileSchema({ libxml2, provider }: Loaded, documents: readonly SchemaDocument[]): XsdValidator {
  counter += 1;
  // Names are unique among all schemas, because libxml2 sees them all through one provider.
  const named = (text: string) =>
    text.replace(/schemaLocation="schema:(\d+)"/g, `schemaLocation="schema:${counter}:$1"`);
  const names = documents.map((_, index) => `schema:${counter}:${index}`);
  let main: XmlDocument | undefined;
  try {
    for (const [index, { text }] of documents.entries()) {
      provider.addBuffer(names[index] as string, Buffer.from(named(text), 'utf8'));
    }
    main = libxml2.XmlDocument.fromString(named(documents[0]?.text ?? ''), { url: names[0] as string });
    return libxml2.XsdValidator.fromDoc(main);
  } catch (cause) {
    throw broken(messageOf(cause), cause);
  } finally {
    main?.dispose();
    for (const name of names) provider.removeBuffer(name);
  }
}

function problemsOf(libxml2: LibXml2, schema: XsdValidator, xml: string): string[] {
  let document: XmlDocument | undefined;
  try {
    document = libxml2.XmlDocument.fromString(xml, { option: libxml2.ParseOption.XML_PARSE_NO_XXE });
    schema.validate(document);
    return [];
  } catch (cause) {
    if (cause instanceof libxml2.XmlValidateError) return linesOf(cause.message);
    throw new MediationError(`Error while validating the message: ${messageOf(cause)}`, { cause });
  } finally {
    document?.dispose();
  }
}

function linesOf(text: string): string[] {
  return text.split('\n').filter((line) => line.trim() !== '');
}

function broken(reason: string, cause?: unknown): MediationError {
  return new MediationError(`Error creating a new schema objects for schemas : ${reason}`, { cause });
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message.trim() : String(cause);
}
