import { dynamic } from '../../expressions/attribute-types.ts';
import type { DynamicValue } from '../../expressions/value.ts';
import { nonEmptyText, oneOf } from '../../grammar/attributes.ts';
import { limitsOf } from '../../isolation/limits.ts';
import { IsolationError, runIsolated } from '../../isolation/worker-pool.ts';
import { type MediatorCompilation, mediator } from '../../mediation/component.ts';
import { findEntry } from '../../message/entry.ts';
import { MediationError } from '../../message/errors.ts';
import type { MessageContext } from '../../message/message-context.ts';
import { setProperty } from '../../message/property-scopes.ts';
import { JsonValue, type PropertyValue } from '../../message/property-value.ts';
import { isEnvelope } from '../../message/soap.ts';
import type { MappingFormat } from '../../scripting/mapping-job.ts';
import { sentValue, textOfEntry } from '../../scripting/sent-message.ts';
import { serializeXml } from '../../xml/index.ts';
import { resultElement } from './transform-target.ts';

const FORMATS = ['XML', 'JSON', 'CSV'] as const;
const CONTENT_TYPES: Readonly<Record<MappingFormat, string>> = {
  XML: 'application/xml',
  JSON: 'application/json',
  CSV: 'text/xml',
};

const ATTRIBUTES = {
  config: dynamic({
    required: true,
    missing: 'The attribute config is required for the DataMapper mediator',
    doc: 'The entry with the generated JavaScript.',
  }),
  inputSchema: dynamic({
    required: true,
    missing: 'The attribute inputSchema is required for the DataMapper mediator',
    doc: 'The entry with the schema of the input.',
  }),
  outputSchema: dynamic({
    required: true,
    missing: 'The outputSchema attribute is required for the DataMapper mediator',
    doc: 'The entry with the schema of the output.',
  }),
  inputType: oneOf(FORMATS, { doc: 'What the payload is; the input schema says it if absent.' }),
  outputType: oneOf(FORMATS, { doc: 'What is made; the output schema says it if absent.' }),
  xsltStyleSheet: dynamic({ doc: 'Accepted; the mapping itself is run in every case, which gives the same.' }),
  target: oneOf(['body', 'variable'], { default: 'body', doc: 'Where the result goes.' }),
  variable: nonEmptyText({ doc: 'The variable for the result.' }),
} as const;

type Attributes = MediatorCompilation<typeof ATTRIBUTES>['attributes'];

/** Runs a mapping that the tooling has generated (spec mediators 3.33), in the sandbox of `<script>`. */
export const datamapper = mediator({
  element: 'datamapper',
  packages: ['quickjs-emscripten-core', '@jitl/quickjs-wasmfile-release-sync'],
  doc: 'Converts the payload with a generated mapping between two schemas.',
  attributes: ATTRIBUTES,
  compile({ element, attributes, reader }) {
    if (attributes.target === 'variable' && attributes.variable === undefined) {
      reader.error(element, "The 'variable' is required when the target is a variable", { attribute: 'target' });
      return undefined;
    }
    return async (message) => {
      try {
        await map(attributes, message);
      } catch (cause) {
        if (!(cause instanceof IsolationError) && !(cause instanceof MediationError)) throw cause;
        throw new MediationError(`DataMapper mediator : mapping failed: ${cause.message}`, { cause });
      }
      return true;
    };
  },
});

async function map(attributes: Attributes, message: MessageContext): Promise<void> {
  const inputSchema = entryText(attributes.inputSchema, message);
  const outputSchema = entryText(attributes.outputSchema, message);
  const inputType = attributes.inputType ?? typeIn(inputSchema, 'inputType');
  const outputType = attributes.outputType ?? typeIn(outputSchema, 'outputType');
  if (!inputType) throw new MediationError('Input type is not defined in the input schema/synapse configuration');
  if (!outputType) throw new MediationError('Output type is not defined in the output schema/synapse configuration');
  const limitMs = limitsOf(message.configuration).scriptMs;
  const job = {
    mapping: entryText(attributes.config, message),
    inputSchema,
    outputSchema,
    inputType,
    outputType,
    input: inputOf(message, inputType, inputSchema),
    properties: propertiesOf(message),
    limitMs,
  };
  const { text } = await runIsolated('mapping', job, limitMs);
  if (attributes.target === 'variable') {
    message.variables.set(attributes.variable ?? '', variableValue(text, outputType));
    return;
  }
  place(message, text, outputType);
}

function entryText(key: DynamicValue, message: MessageContext): string {
  const name = key.evaluate(message) ?? '';
  const entry = findEntry(message.configuration, name);
  if (!entry) throw new MediationError(`there is no entry with the key '${name}'`);
  return textOfEntry(entry);
}

/** The schema's own word, which any of the three names may follow. */
function typeIn(schema: string, member: 'inputType' | 'outputType'): MappingFormat | undefined {
  const found = new RegExp(`"${member}"\\s*:\\s*"(\\w+)"`).exec(schema)?.[1]?.toUpperCase();
  return FORMATS.find((format) => format === found);
}

/** A schema whose root is the Envelope maps the whole message. */
function inputOf({ payload }: MessageContext, type: MappingFormat, schema: string): string {
  if (type === 'JSON') return payload.jsonText();
  const text = payload.text() ?? payload.firstBodyChild()?.textContent;
  if (type === 'CSV') return text ?? '';
  if (/"title"\s*:\s*"[\w.-]+:Envelope"/.test(schema)) return serializeXml(payload.envelope());
  const child = payload.firstBodyChild();
  if (!child) throw new MediationError('there is no payload to map');
  return serializeXml(child);
}

function propertiesOf(message: MessageContext): Record<string, Record<string, unknown>> {
  const values = (scope: ReadonlyMap<string, PropertyValue>) =>
    Object.fromEntries([...scope].map(([name, value]) => [name, plain(value)]));
  const defaults = values(message.properties);
  return {
    DEFAULT: defaults,
    SYNAPSE: defaults,
    AXIS2: values(message.axis2),
    AXIS2_CLIENT: values(message.axis2Client),
    TRANSPORT: Object.fromEntries(message.headers.pairs()),
    OPERATION: values(message.operation),
    VARIABLES: values(message.variables),
  };
}

function plain(value: PropertyValue): unknown {
  const sent = sentValue(value);
  return sent.kind === 'json' ? JSON.parse(sent.value) : sent.value;
}

function place(message: MessageContext, text: string, type: MappingFormat): void {
  const { payload } = message;
  if (type === 'JSON') payload.setJson(text);
  else if (type === 'CSV') payload.setText(text);
  else {
    const root = resultElement(text);
    if (isEnvelope(root)) payload.replaceEnvelope(root);
    else payload.replaceBody(root);
  }
  setProperty(message, 'axis2', 'messageType', CONTENT_TYPES[type]);
}

function variableValue(text: string, type: MappingFormat): PropertyValue {
  if (type === 'JSON') return new JsonValue(text);
  return type === 'XML' ? resultElement(text) : text;
}
