export { decodeXml } from './decode.ts';
export {
  cloneInto,
  createElement,
  elementChildren,
  firstElement,
  NODE_TYPES,
  newDocument,
  textOf,
  type XmlAttribute,
  type XmlDocument,
  type XmlElement,
  type XmlNode,
} from './dom.ts';
export { joinTexts, MAX_TEXT_LENGTH, MAX_XML_NODES, TooLargeError } from './limits.ts';
export { type ParseOptions, parseXml } from './parse.ts';
export {
  escapeAttribute,
  escapeText,
  type SerializeOptions,
  serializeXml,
  XmlSerializationError,
} from './serialize.ts';
export { XmlSyntaxError } from './syntax-error.ts';
export {
  type CompiledXPath,
  compileXPath,
  type XPathEnvironment,
  XPathError,
  XPathSyntaxError,
} from './xpath/index.ts';
