import * as fontoxpath from 'fontoxpath';
import { JobError, type Runner } from '../isolation/jobs.ts';
import { javaDouble } from '../message/property-value.ts';
import { newDocument, parseXml, serializeXml, type XmlNode, XmlSyntaxError } from '../xml/index.ts';
import type { XqueryJob, XqueryResult, XqueryType } from './xquery-job.ts';

// A CommonJS build, whose names Node.js does not all see.
const { evaluateXPath, createTypedValueFactory } = (
  'default' in fontoxpath ? fontoxpath.default : fontoxpath
) as typeof fontoxpath;

const ELEMENT_NODE = 1;
const ATTRIBUTE_NODE = 2;
const DOCUMENT_NODE = 9;

type TypedFactory = (value: unknown, domFacade: null) => unknown;

/** Runs queries, in an isolated thread. The library knows no doc(), no collection() and no imports: it can fetch nothing. */
export function xqueryRunner(): Runner<'xquery'> {
  return { run };
}

function run({ query, variables }: XqueryJob): XqueryResult {
  const bound: Record<string, unknown> = {};
  for (const { name, type, value } of variables) bound[name] = variableValue(query, name, type, value);
  const [first] = evaluate(query, bound);
  if (first === undefined || first === null) return { kind: 'nothing' };
  const node = first as XmlNode;
  if (typeof first !== 'object' || typeof node.nodeType !== 'number') return { kind: 'text', value: textOfItem(first) };
  if (node.nodeType === ELEMENT_NODE || node.nodeType === DOCUMENT_NODE)
    return { kind: 'xml', value: serializeXml(node) };
  const text = node.nodeType === ATTRIBUTE_NODE ? (node as unknown as { value: string }).value : node.nodeValue;
  return { kind: 'text', value: text ?? '' };
}

/** @throws JobError for what is wrong with the query, as far as the library says so */
function evaluate(query: string, variables: Record<string, unknown>): unknown[] {
  try {
    return evaluateXPath(query, null, null, variables, evaluateXPath.ALL_RESULTS_TYPE, {
      language: evaluateXPath.XQUERY_3_1_LANGUAGE,
      nodesFactory: nodesFactory() as never,
    }) as unknown[];
  } catch (cause) {
    if (!(cause instanceof Error)) throw cause;
    if (cause instanceof RangeError) throw new JobError('the query is nested or recurses too deeply', { cause });
    throw new JobError(reason(cause), { cause });
  }
}

/** The library shows the query before the reason. */
function reason({ message }: Error): string {
  const code = /[A-Z]{4}\d{4}: [^\n]*/.exec(message)?.[0] ?? message;
  const place = /at <[^>]*>:(\d+):(\d+)/.exec(message);
  return (place ? `${code} (line ${place[1]}, column ${place[2]})` : code).slice(0, 1_000);
}

function nodesFactory(): object {
  const document = newDocument(null, 'result');
  return {
    createAttributeNS: (namespace: string | null, name: string) => document.createAttributeNS(namespace, name),
    createCDATASection: (text: string) => document.createCDATASection(text),
    createComment: (text: string) => document.createComment(text),
    createDocument: () => {
      const made = newDocument(null, 'result');
      while (made.firstChild) made.removeChild(made.firstChild);
      return made;
    },
    createElementNS: (namespace: string | null, name: string) => document.createElementNS(namespace || null, name),
    createProcessingInstruction: (target: string, text: string) => document.createProcessingInstruction(target, text),
    createTextNode: (text: string) => document.createTextNode(text),
  };
}

function variableValue(query: string, name: string, type: XqueryType, value: string): unknown {
  switch (type) {
    case 'boolean':
      return value.trim().toLowerCase() === 'true';
    case 'integer':
      return typed('xs:integer', numberOf(name, value));
    case 'double':
      return typed('xs:double', numberOf(name, value));
    case 'float':
      return typed('xs:float', numberOf(name, value));
    case 'string':
      return value;
    case 'node':
      return nodeOf(query, name, value);
  }
}

function typed(type: string, value: unknown): unknown {
  return (createTypedValueFactory(type as never) as unknown as TypedFactory)(value, null);
}

function numberOf(name: string, value: string): number {
  const number = value.trim() === '' ? Number.NaN : Number(value);
  if (Number.isNaN(number)) throw new JobError(`the value of $${name}, '${value}', is no number`);
  return number;
}

/** A document, as in the reference, unless the query asks for an element. */
function nodeOf(query: string, name: string, value: string): unknown {
  try {
    const document = parseXml(value);
    const wantsElement = new RegExp(`variable\\s+\\$${name.replace(/[^\w-]/g, '.')}\\s+as\\s+element\\b`).test(query);
    return wantsElement ? document.documentElement : document;
  } catch (cause) {
    if (!(cause instanceof XmlSyntaxError)) throw cause;
    throw new JobError(`the value of $${name} is no XML: ${cause.message}`, { cause });
  }
}

function textOfItem(item: unknown): string {
  if (typeof item === 'number') return Number.isInteger(item) ? String(item) : javaDouble(item);
  if (typeof item === 'object') return JSON.stringify(item) ?? '';
  return String(item);
}
