import { createElement, elementChildren, newDocument, type XmlElement } from '../xml/index.ts';
import { keyOfXmlName, xmlNameOf } from './json-xml.ts';

/** Names and values of a form, in order, repetitions kept. */
export type FormFields = ReadonlyArray<readonly [name: string, value: string]>;

/** More fields than any form has; more are an attack on memory. */
const MAX_FIELDS = 10_000;

/** Too many fields. */
export class FormError extends Error {
  override readonly name = 'FormError';
}

/**
 * Reads `a=b&c=d`, split at `&` only (REQ-26). What is not percent-encoded properly is taken as it is.
 * @throws FormError
 */
export function parseForm(text: string): FormFields {
  const fields: Array<readonly [string, string]> = [];
  for (const pair of text.split('&', MAX_FIELDS + 1)) {
    if (pair === '') continue;
    const equals = pair.indexOf('=');
    const name = decodeField(equals < 0 ? pair : pair.slice(0, equals));
    fields.push([name, equals < 0 ? '' : decodeField(pair.slice(equals + 1))]);
  }
  if (fields.length > MAX_FIELDS) throw new FormError(`the form has more than ${MAX_FIELDS} fields`);
  return fields;
}

function decodeField(text: string): string {
  const spaced = text.replaceAll('+', ' ');
  if (!spaced.includes('%')) return spaced;
  try {
    return decodeURIComponent(spaced);
  } catch (error) {
    if (error instanceof URIError) return spaced;
    throw error;
  }
}

/** `name=value&…` with `%20` for blanks (spec proxies 1.6). */
export function formatForm(fields: FormFields): string {
  return fields.map(([name, value]) => `${encodeField(name)}=${encodeField(value)}`).join('&');
}

function encodeField(text: string): string {
  return encodeURIComponent(text.toWellFormed()).replace(/[!'()*]/g, (character) => {
    return `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
  });
}

/** `<xformValues>` (or another wrapper) with one child per field, the root of a document of its own. */
export function fieldsToXml(fields: FormFields, wrapper = 'xformValues'): XmlElement {
  const document = newDocument(null, wrapper);
  const root = document.documentElement as XmlElement;
  for (const [name, value] of fields) {
    const child = createElement(document, null, xmlNameOf(name));
    if (value !== '') child.appendChild(document.createTextNode(value));
    root.appendChild(child);
  }
  return root;
}

/** The element children of a wrapper as fields. */
export function xmlToFields(wrapper: XmlElement): FormFields {
  return elementChildren(wrapper).map((child) => {
    return [keyOfXmlName(child.localName ?? child.nodeName), child.textContent ?? ''] as const;
  });
}
