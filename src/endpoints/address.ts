import { resolvePlaceholders } from '../grammar/placeholders.ts';
import type { MessageContext } from '../message/message-context.ts';
import { checkScheme } from './address-scheme.ts';
import { endpointKind } from './component.ts';

/** `<address uri="…">`: a fixed target; `${name}` inside is replaced by the default-scope property (spec proxies 5.4). */
export const address = endpointKind({
  element: 'address',
  attributes: ['uri'],
  read(element, reader) {
    const written = element.attribute('uri')?.trim();
    if (!written) {
      reader.error(element, "The 'uri' attribute is required for an address endpoint", {
        expected: 'uri="http://host/path"',
      });
      return undefined;
    }
    const uri = resolvePlaceholders(written, element, reader);
    if (uri === undefined) return undefined;
    checkScheme(uri, element, reader, 'uri');
    return addressParts(uri);
  },
});

function addressParts(uri: string) {
  if (!uri.includes('${')) return { staticAddress: uri, address: () => uri };
  return {
    staticAddress: uri,
    address: (message: MessageContext) =>
      uri.replaceAll(/\$\{([^}]*)\}/g, (_, name: string) => message.text(name) ?? ''),
  };
}
