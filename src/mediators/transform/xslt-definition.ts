import { dynamic, expression } from '../../expressions/attribute-types.ts';
import type { Expression } from '../../expressions/expression.ts';
import { nonEmptyText, readAttributes, text } from '../../grammar/attributes.ts';
import type { ConfigElement } from '../../grammar/element.ts';
import type { ArtifactReader } from '../../grammar/reader.ts';
import { limitsOf } from '../../isolation/limits.ts';
import { runIsolated } from '../../isolation/worker-pool.ts';
import { findEntry } from '../../message/entry.ts';
import { MediationError } from '../../message/errors.ts';
import type { MessageContext } from '../../message/message-context.ts';
import { PAYLOAD_NAMESPACE } from '../../message/soap.ts';
import type { XsltResult } from '../../transform/xslt-job.ts';
import { newDocument, type XmlDocument, type XmlElement } from '../../xml/index.ts';
import { resultElement } from './transform-target.ts';

const PROPERTY_ATTRIBUTES = {
  name: nonEmptyText({ required: true, doc: 'The stylesheet parameter.' }),
  value: text({ doc: 'The value, literally.' }),
  expression: expression({ doc: 'An expression that gives the value for each message.' }),
} as const;
const PAIR_ATTRIBUTES = {
  name: nonEmptyText({ required: true, doc: 'Its name.' }),
  value: text({ required: true, doc: 'Its value.' }),
} as const;
const RESOURCE_ATTRIBUTES = {
  location: nonEmptyText({ required: true, doc: 'A location, as the stylesheet writes it.' }),
  key: nonEmptyText({ required: true, doc: 'The entry that stands behind it.' }),
} as const;

/** The children that `<xslt>` and `<fastXSLT>` have in common (spec mediators 3.18, 3.41). */
export interface XsltChildren {
  readonly properties: ReadonlyArray<{ readonly name: string; readonly value: string | Expression }>;
  /** Keys of entries by location. */
  readonly resources: ReadonlyMap<string, string>;
}

export const XSLT_CHILDREN = ['property', 'feature', 'attribute', 'resource'];

export const stylesheetKey = (missing: string) =>
  dynamic({ required: true, missing, doc: 'The local entry or registry resource that holds the stylesheet.' });

/** Reads them; undefined after an error. Features and attributes belong to the reference's processors; ours needs none of them. */
export function readXsltChildren(element: ConfigElement, reader: ArtifactReader): XsltChildren | undefined {
  const errors = reader.diagnostics.length;
  const properties = element.childrenNamed('property').flatMap((child) => readProperty(child, reader));
  const names = new Set<string>();
  for (const child of [...element.childrenNamed('feature'), ...element.childrenNamed('attribute')]) {
    const pair = readAttributes(child, PAIR_ATTRIBUTES, reader);
    if (!pair) continue;
    if (names.has(`${child.name} ${pair.name}`)) {
      reader.error(child, `Duplicate ${child.name} '${pair.name}'`, { attribute: 'name' });
    }
    names.add(`${child.name} ${pair.name}`);
    if (child.name === 'feature' && pair.value !== 'true' && pair.value !== 'false') {
      reader.error(child, 'The feature must have value true or false', {
        attribute: 'value',
        expected: 'true or false',
      });
    }
  }
  const resources = new Map<string, string>();
  for (const child of element.childrenNamed('resource')) {
    const resource = readAttributes(child, RESOURCE_ATTRIBUTES, reader);
    if (resource) resources.set(resource.location, resource.key);
  }
  const failed = reader.diagnostics.slice(errors).some(({ severity }) => severity === 'error');
  return failed ? undefined : { properties, resources };
}

function readProperty(child: ConfigElement, reader: ArtifactReader): XsltChildren['properties'][number][] {
  const attributes = readAttributes(child, PROPERTY_ATTRIBUTES, reader);
  if (!attributes) return [];
  const value = attributes.value ?? attributes.expression;
  if (value !== undefined) return [{ name: attributes.name, value }];
  reader.error(child, `The 'value' or the 'expression' of property '${attributes.name}' is required`, {
    expected: 'value="…" or expression="…"',
  });
  return [];
}

/**
 * Runs the stylesheet behind a key over XML.
 * @throws MediationError when there is no such entry; IsolationError for everything that the stylesheet does wrong
 */
export async function runStylesheet(
  message: MessageContext,
  key: string,
  { properties, resources }: XsltChildren,
  source: string,
  cache: boolean,
): Promise<XsltResult> {
  const parameters: Record<string, string> = {};
  for (const { name, value } of properties) {
    const given = typeof value === 'string' ? value : value.stringValue(message);
    if (given !== null) parameters[name] = given;
  }
  const documents: Record<string, string> = {};
  for (const [location, entry] of resources) documents[location] = textOf(message, entry);
  const limitMs = limitsOf(message.configuration).transformMs;
  const job = { stylesheet: textOf(message, key), resources: documents, parameters, source, cache };
  return runIsolated('xslt', job, limitMs);
}

function textOf({ configuration }: MessageContext, key: string): string {
  const entry = findEntry(configuration, key);
  if (!entry) throw new MediationError(`there is no entry with the key '${key}'`);
  return entry.text;
}

/** Text becomes the wrapper that stands for it. @throws MediationError when it is no XML */
export function resultOf({ text, isText }: XsltResult): XmlElement {
  if (!isText) return resultElement(text);
  const wrapper = newDocument(PAYLOAD_NAMESPACE, 'text').documentElement as XmlElement;
  wrapper.appendChild((wrapper.ownerDocument as XmlDocument).createTextNode(text));
  return wrapper;
}
