/*
 * Runs inside the sandbox, see `xml-tree.ts`: self-contained. Puts together what a script finds when it starts, and hands back what its
 * run ends with. The script itself sees neither the host nor the parts.
 */

import type { ScriptJob, SentValue } from '../script-job.ts';
import type { javaClasses } from './java-classes.ts';
import type { messageApi, Outside } from './message-api.ts';
import type { omElements } from './om-elements.ts';
import type { xmlObjects } from './xml-objects.ts';
import type { WrittenNode, xmlTree } from './xml-tree.ts';

/** What the host keeps of a started run. */
export interface ScriptRun {
  /** Calls a function of the script. */
  call(name: string, args: readonly SentValue[]): unknown;
  /** Result and effects, as JSON. */
  finish(result: unknown): string;
}

export interface Parts {
  readonly xmlTree: typeof xmlTree;
  readonly xmlObjects: typeof xmlObjects;
  readonly omElements: typeof omElements;
  readonly javaClasses: typeof javaClasses;
  readonly messageApi: typeof messageApi;
}

/** The marker that a missing function is told by. */
export const NO_SUCH_FUNCTION = 'NoSuchFunction';

/** @param host asks outside: name and arguments as JSON give an answer as JSON */
export function scriptEnvironment(
  host: (name: string, args: string) => string,
  input: string,
  { xmlTree, xmlObjects, omElements, javaClasses, messageApi }: Parts,
): ScriptRun {
  const { stringify, parse } = JSON;
  const ask = (name: string, ...args: unknown[]): unknown => parse(host(name, stringify(args)));
  const job = parse(input) as Pick<ScriptJob, 'message' | 'xmlObjects'>;
  const tree = xmlTree((text, keepSpace) => ask('parse', text, keepSpace) as WrittenNode);
  const xml = xmlObjects(tree);
  const outside: Outside = {
    need(what, name) {
      ask('need', what, name);
      throw new Error('not reached');
    },
    xpath: (text, expression, namespaces) =>
      ask('xpath', text, expression, namespaces) as readonly WrittenNode[] | { scalar: string },
    uuid: () => ask('uuid') as string,
  };
  const api = messageApi(job.message, job.xmlObjects, tree, xml, outside, {
    om: omElements(tree, xml),
    javaClasses,
  });
  const scope = globalThis as unknown as Record<string, unknown>;
  Object.assign(scope, api.globals, { mc: api.mc, XML: xml.XML, XMLList: xml.XML });
  Object.defineProperty(scope, '__e4x', { value: xml.e4x });
  return {
    call(name, args) {
      const target = scope[name];
      if (typeof target === 'function') return target(api.mc, ...args.map(api.receive));
      const missing = new Error(`there is no function ${name}`);
      missing.name = 'NoSuchFunction';
      throw missing;
    },
    finish: (result) => stringify({ value: api.send(result), effects: api.effects() }),
  };
}
