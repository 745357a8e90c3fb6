export {
  type CompiledXPath,
  compileXPath,
  textOfValue,
  XPATH_STEP_BUDGET,
  type XPathEnvironment,
  type XPathFunction,
} from './compile.ts';
export { XPathError, XPathSyntaxError } from './errors.ts';
export { CORE_FUNCTIONS } from './functions.ts';
export { parseXPath, type XPathTree } from './syntax.ts';
export { isNodeSet, numberToText, type Spend, toBoolean, toNumber, toText, type XPathValue } from './values.ts';
