/** Every function of the `${…}` language (spec mediators 4.5.4). */
export const FUNCTION_NAMES: ReadonlySet<string> = new Set(
  [
    'length toUpper toLower trim subString startsWith endsWith contains indexOf charAt replace split',
    'abs ceil floor round sqrt pow log now formatDateTime',
    'base64encode base64decode urlEncode urlDecode',
    'isString isNumber isArray isObject string integer float boolean object array not exists',
    'registry xpath wso2-vault hashicorp-vault',
  ].flatMap((line) => line.split(' ')),
);
