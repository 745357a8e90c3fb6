/** How XML becomes JSON (spec mediators 5.4, `synapse.commons.json.…`). */
export interface XmlToJsonSettings {
  /** Keep prefixes, as `prefix<separator>name`. */
  readonly preserveNamespace: boolean;
  readonly namespaceSeparator: string;
  /** Write `@xmlns…` members; needs {@link preserveNamespace}. */
  readonly namespaceDeclarations: boolean;
  /** False: every value is a string, except null. */
  readonly autoPrimitive: boolean;
  /** Values that stay strings though they look like numbers or truth values. */
  readonly keepsString: (text: string) => boolean;
  /** The text that replaces what a value begins with, which makes it a string; undefined for values that it leaves alone. */
  readonly replaced: (text: string) => string | undefined;
  /** False: siblings of one name stay separate members. */
  readonly autoArray: boolean;
  /** Honour `<?xml-multiple?>`. */
  readonly multiplePI: boolean;
  /** `nil="true"` is null. */
  readonly readNil: boolean;
  /** False: an empty element is `""`. */
  readonly nullForEmpty: boolean;
  /** Elements made from JSON give the types back that they had (MREQ-26). */
  readonly rememberTypes: boolean;
}

export const DEFAULT_XML_TO_JSON: XmlToJsonSettings = {
  preserveNamespace: false,
  namespaceSeparator: '_',
  namespaceDeclarations: false,
  autoPrimitive: true,
  keepsString: () => false,
  replaced: () => undefined,
  autoArray: true,
  multiplePI: true,
  readNil: false,
  nullForEmpty: true,
  rememberTypes: true,
};

/** How JSON becomes XML (spec mediators 5.3). */
export interface JsonToXmlSettings {
  /** Null is `nil="true"`. */
  readonly writeNil: boolean;
  /** Arrays begin with `<?xml-multiple?>`, empty ones too. */
  readonly multiplePI: boolean;
}

/** Both directions. */
export interface JsonConversion {
  readonly toJson: XmlToJsonSettings;
  readonly toXml: JsonToXmlSettings;
}

export const DEFAULT_JSON_CONVERSION: JsonConversion = {
  toJson: DEFAULT_XML_TO_JSON,
  toXml: { writeNil: false, multiplePI: false },
};

let conversion = DEFAULT_JSON_CONVERSION;

/** What conversions without settings of their own follow. */
export function jsonConversion(): JsonConversion {
  return conversion;
}

/**
 * Says how this process converts, as `synapse.properties` does for the reference: a payload is converted where nobody knows of which server
 * it is.
 */
export function setJsonConversion(settings: JsonConversion): void {
  conversion = settings;
}
