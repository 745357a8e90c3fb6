import { compileReplaceAll, compileWholeMatch } from '../expressions/regex.ts';
import { ValueError } from '../grammar/attributes.ts';
import {
  type JsonConversion,
  type JsonToXmlSettings,
  jsonConversion,
  type XmlToJsonSettings,
} from '../message/json-conversion.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Settings while they are read. */
interface Draft {
  readonly toJson: Mutable<XmlToJsonSettings>;
  readonly toXml: Mutable<JsonToXmlSettings>;
  replaceRegex?: string;
  replacement?: string;
}

type Setting = (draft: Draft, value: string) => void;

const PREFIX = 'synapse.commons.json.';
/** What makes values of other types than they had: types that elements remember are forgotten then. */
const ABOUT_TYPES = /autoPrimitive|AutoPrimitive|enableXmlNullForEmptyElement/;

const truth = (set: (draft: Draft, value: boolean) => void): Setting => {
  return (draft, value) => {
    const word = value.trim().toLowerCase();
    if (word !== 'true' && word !== 'false')
      throw new ValueError(`'${value}' is no truth value, expected true or false`);
    set(draft, word === 'true');
  };
};

/** Accepted, and without effect: names are always valid here, and arrays are found where JSON has them (spec mediators 5.3). */
const always = truth(() => undefined);

const SETTINGS: Readonly<Record<string, Setting>> = {
  [`${PREFIX}preserve.namespace`]: truth(({ toJson }, value) => {
    toJson.preserveNamespace = value;
  }),
  [`${PREFIX}output.namespaceSepChar`]: ({ toJson }, value) => {
    toJson.namespaceSeparator = value;
  },
  [`${PREFIX}output.enableNSDeclarations`]: truth(({ toJson }, value) => {
    toJson.namespaceDeclarations = value;
  }),
  [`${PREFIX}buildValidNCNames`]: always,
  [`${PREFIX}output.autoPrimitive`]: truth(({ toJson }, value) => {
    toJson.autoPrimitive = value;
  }),
  [`${PREFIX}output.disableAutoPrimitive.regex`]: ({ toJson }, value) => {
    const matches = compileWholeMatch(value);
    toJson.keepsString = (content) => matches(content) !== undefined;
  },
  // The reference spells these two with `json` twice.
  [`${PREFIX}json.output.disableAutoPrimitive.customReplaceRegex`]: (draft, value) => {
    draft.replaceRegex = value;
  },
  [`${PREFIX}json.output.disableAutoPrimitive.customReplaceSequence`]: (draft, value) => {
    draft.replacement = value;
  },
  [`${PREFIX}output.jsonoutAutoArray`]: truth(({ toJson }, value) => {
    toJson.autoArray = value;
  }),
  [`${PREFIX}output.jsonoutMultiplePI`]: truth(({ toJson }, value) => {
    toJson.multiplePI = value;
  }),
  [`${PREFIX}output.xmloutAutoArray`]: always,
  [`${PREFIX}output.xmloutMultiplePI`]: truth(({ toXml }, value) => {
    toXml.multiplePI ||= value;
  }),
  'synapse.json.to.xml.processing.instruction.enabled': truth(({ toXml }, value) => {
    toXml.multiplePI ||= value;
  }),
  'synapse.commons.enableXmlNilReadWrite': truth(({ toJson, toXml }, value) => {
    toJson.readNil = value;
    toXml.writeNil = value;
  }),
  'synapse.commons.enableXmlNullForEmptyElement': truth(({ toJson }, value) => {
    toJson.nullForEmpty = value;
  }),
};

/** The names of the properties that say how JSON and XML are converted (spec mediators 5.3, 5.4). */
export const JSON_SETTINGS: readonly string[] = Object.keys(SETTINGS);

/**
 * Settings of the conversion as properties say them; what they leave out is as before.
 * @param written by name; names that are no settings are passed over
 * @param report told of values that are wrong, which count as not written
 */
export function readJsonSettings(
  written: ReadonlyMap<string, string>,
  report: (name: string, problem: string) => void,
  base: JsonConversion = jsonConversion(),
): JsonConversion {
  const draft: Draft = { toJson: { ...base.toJson }, toXml: { ...base.toXml } };
  for (const [name, value] of written) {
    attempt(name, report, () => SETTINGS[name]?.(draft, value));
    if (ABOUT_TYPES.test(name) && Object.hasOwn(SETTINGS, name)) draft.toJson.rememberTypes = false;
  }
  const { replaceRegex, replacement = '', toJson } = draft;
  if (replaceRegex !== undefined) {
    attempt(`${PREFIX}json.output.disableAutoPrimitive.customReplaceRegex`, report, () => {
      toJson.replaced = beginningReplaced(replaceRegex, replacement);
    });
  }
  return { toJson, toXml: draft.toXml };
}

function attempt(name: string, report: (name: string, problem: string) => void, read: () => void): void {
  try {
    read();
  } catch (error) {
    if (!(error instanceof ValueError)) throw error;
    report(name, error.message);
  }
}

function beginningReplaced(regex: string, replacement: string): (text: string) => string | undefined {
  const begins = compileWholeMatch(`(?s)(?:${regex}).*`);
  const replace = compileReplaceAll(regex, replacement);
  return (content) => (begins(content) ? replace(content) : undefined);
}
