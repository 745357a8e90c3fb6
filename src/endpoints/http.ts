import { parseTemplate } from 'url-template';
import { resolvePlaceholders } from '../grammar/placeholders.ts';
import type { MessageContext } from '../message/message-context.ts';
import { checkScheme } from './address-scheme.ts';
import { readAuthentication } from './authentication.ts';
import { endpointKind } from './component.ts';

const METHODS = ['get', 'post', 'put', 'delete', 'head', 'patch', 'options'];
const LEGACY_ENCODING = 'legacy-encoding:';

/** `<http uri-template="…" method="…">`: an RFC 6570 template over `uri.var.*` and `query.param.*` (spec proxies 5.4). */
export const http = endpointKind({
  element: 'http',
  attributes: ['uri-template', 'method', 'uri.var'],
  children: ['authentication'],
  read(element, reader) {
    const written = element.attribute('uri-template')?.trim();
    const method = element.attribute('method')?.trim().toLowerCase();
    const authenticating = element.child('authentication');
    const authentication = authenticating && readAuthentication(authenticating, reader);
    if (authenticating && !authentication) return undefined;
    if (method !== undefined && !METHODS.includes(method)) {
      reader.warning(element, `method="${method}" is ignored`, {
        attribute: 'method',
        expected: `one of: ${METHODS.join(', ')}`,
      });
    }
    const known = method !== undefined && METHODS.includes(method) ? method : undefined;
    const more = { ...(known && { method: known }), ...(authentication && { authentication }) };
    if (!written) return { staticAddress: undefined, address: (message) => message.to, ...more };
    const resolved = resolvePlaceholders(written, element, reader);
    if (resolved === undefined) return undefined;
    const template = resolved.startsWith(LEGACY_ENCODING) ? resolved.slice(LEGACY_ENCODING.length) : resolved;
    checkScheme(template, element, reader, 'uri-template');
    return { staticAddress: template, address: expansion(template), ...more };
  },
});

function expansion(template: string): (message: MessageContext) => string {
  if (!template.includes('{')) return () => template;
  // A template that starts with a variable holds a whole URL there: its reserved characters must survive.
  const parsed = parseTemplate(template.replace(/^\{(?=[\w.])/, '{+'));
  return (message) => {
    const variables: Record<string, string> = {};
    let found = false;
    for (const name of message.properties.keys()) {
      if (!name.startsWith('uri.var.') && !name.startsWith('query.param.')) continue;
      variables[name] = message.text(name) ?? '';
      found = true;
    }
    if (!found) return template;
    const expanded = parsed.expand(variables);
    return URL.canParse(expanded) ? expanded : template;
  };
}
