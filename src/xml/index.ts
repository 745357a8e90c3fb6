export { decodeXml } from './decode.ts';
export {
  cloneInto,
  createElement,
  elementChildren,
  firstElement,
  moveToNamespace,
  NodeBudget,
  newDocument,
  textOf,
} from './dom.ts';
export { joinTexts, limitXml, maxPayloadLength, maxTextLength, maxXmlNodes, TooLargeError } from './limits.ts';
export { NODE_TYPES } from './node-types.ts';
export { type ParseOptions, parseXml } from './parse.ts';
export {
  escapeAttribute,
  escapeText,
  type SerializeOptions,
  serializeXml,
  XmlSerializationError,
} from './serialize.ts';
export { XmlLimitError, XmlSyntaxError } from './syntax-error.ts';
export type { XmlAttribute, XmlChild, XmlDocument, XmlElement, XmlNode } from './tree.ts';
export { XmlTreeError } from './tree-names.ts';
export {
  type CompiledXPath,
  compileXPath,
  type XPathEnvironment,
  XPathError,
  XPathSyntaxError,
} from './xpath/index.ts';
