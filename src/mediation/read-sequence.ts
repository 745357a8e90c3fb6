import { type CompatProfile, PROFILES } from '../compat/profile.ts';
import { DESCRIPTION, enableSwitch, nonEmptyText, readAttributes } from '../grammar/attributes.ts';
import { ConfigElement } from '../grammar/element.ts';
import { ArtifactReader } from '../grammar/reader.ts';
import { parseXml } from '../xml/index.ts';
import { compileSteps } from './compile.ts';
import { Sequence } from './sequence.ts';

const ATTRIBUTES = {
  name: nonEmptyText({ required: true, missing: 'Invalid sequence definition without a name', doc: 'Its name.' }),
  onError: nonEmptyText({ doc: 'The sequence that handles faults inside.' }),
  key: nonEmptyText({ doc: 'Not allowed at the top level.' }),
  description: DESCRIPTION,
  trace: enableSwitch('Traces messages.'),
  statistics: enableSwitch('Collects statistics.'),
} as const;

/** Reads a top-level `<sequence>`; undefined after an error. */
export function readSequence(element: ConfigElement, reader: ArtifactReader): Sequence | undefined {
  if (element.attribute('key') !== undefined) {
    reader.error(element, 'Referred sequences are not allowed at the top level', { attribute: 'key' });
    return undefined;
  }
  const attributes = readAttributes(element, ATTRIBUTES, reader);
  const list = compileSteps(element, reader, `sequence/${attributes?.name ?? '?'}`);
  if (!attributes) return undefined;
  const { name, onError } = attributes;
  if (onError !== undefined) reader.refer('sequence', onError, element, 'onError');
  return new Sequence({ name, ...(onError !== undefined && { onError }), list, position: element.position });
}

/** An inline list of mediators, such as `<inSequence>`. */
export function readInlineSequence(element: ConfigElement, reader: ArtifactReader, id: string): Sequence {
  const onError = element.attribute('onError');
  if (onError !== undefined) reader.refer('sequence', onError, element, 'onError');
  const list = compileSteps(element, reader, id);
  return new Sequence({ ...(onError !== undefined && { onError }), list, position: element.position });
}

/** What both ship as `fault` (spec proxies 4.3). */
const FAULT = `<sequence xmlns="http://ws.apache.org/ns/synapse" name="fault">
     <log level="full" category="ERROR">
       <property name="MESSAGE" value="Executing default 'fault' sequence"/>
       <property name="ERROR_CODE" expression="get-property('ERROR_CODE')"/>
       <property name="ERROR_MESSAGE" expression="get-property('ERROR_MESSAGE')"/>
     </log>
     <drop/>
   </sequence>`;

/** The sequences `main` and `fault` that every configuration has unless an artifact defines its own. */
export function builtInSequences(profile: CompatProfile = 'wso2'): Sequence[] {
  return [PROFILES[profile].mainSequence, FAULT].map((text, index) => {
    const source = { file: `(built-in sequence ${index + 1})`, text };
    const root = new ConfigElement(parseXml(text).documentElement as never, source);
    const sequence = readSequence(root, new ArtifactReader());
    if (!sequence) throw new Error(`${source.file} does not compile`);
    return sequence;
  });
}
