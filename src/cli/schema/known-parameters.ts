import type { ParameterTypes } from '../../grammar/parameters.ts';
import { findInboundKind, inboundProtocols } from '../../inbound/index.ts';
import { PROCESSOR_KINDS } from '../../processors/index.ts';
import { STORE_KINDS } from '../../stores/index.ts';
import { type ElementType, suggested, type Word } from './element-type.ts';

interface Kind {
  readonly parameters: ParameterTypes;
}

/** `<parameter>` of stores, processors and inbound endpoints, with all names that one of their kinds knows. */
export function parameterTypes(): Readonly<Record<string, ElementType>> {
  const inbound = inboundProtocols().flatMap((protocol) => findInboundKind(protocol) ?? []);
  return {
    'messageStore/parameter': parameter(STORE_KINDS),
    'messageProcessor/parameter': parameter(PROCESSOR_KINDS),
    'parameters/parameter': parameter(inbound),
  };
}

function parameter(kinds: readonly Kind[]): ElementType {
  const known = new Map<string, Word>();
  for (const { parameters } of kinds) {
    for (const [value, { doc, expected, default: standard }] of Object.entries(parameters)) {
      const otherwise = ['string', 'number', 'boolean'].includes(typeof standard)
        ? ` Default ${String(standard)}.`
        : '';
      if (!known.has(value)) known.set(value, { value, doc: `${doc} Expected: ${expected}.${otherwise}`.trim() });
    }
  }
  return {
    doc: 'A setting, by its name.',
    attributes: {
      'name!': suggested('Its name.', [...known.values()]),
      key: 'The local entry or resource that has its value.',
      expression: 'The value is worked out for every message.',
      description: 'Documentation only.',
    },
    children: 'any',
  };
}
