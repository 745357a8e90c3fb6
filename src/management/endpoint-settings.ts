import { ConfigElement } from '../grammar/element.ts';
import type { Artifact } from '../synapse/index.ts';
import { parseXml } from '../xml/index.ts';

/** `advanced`, `method` and `errorHandler` of an endpoint's detail, as its artifact says them (spec proxies 8.3, 5.1). */
export function endpointAdvanced({ source, position }: Artifact): Readonly<Record<string, unknown>> {
  const root = parseXml(source.text).documentElement;
  if (!root) return {};
  const element = new ConfigElement(root, source);
  const isIt = ({ position: { line, column } }: ConfigElement) => line === position.line && column === position.column;
  const endpoint = isIt(element) ? element : element.children.find(isIt);
  const definition = endpoint?.children.find(({ name }) => ['http', 'address', 'wsdl', 'default'].includes(name));
  if (!endpoint || !definition) return {};
  const suspend = definition.child('suspendOnFailure');
  const mark = definition.child('markForSuspension');
  const method = definition.attribute('method');
  const errorHandler = endpoint.attribute('onError');
  return {
    ...(method !== undefined && { method: method.toUpperCase() }),
    ...(errorHandler !== undefined && { errorHandler }),
    advanced: {
      suspendState: {
        errorCodes: codesOf(suspend),
        maxDuration: numberOf(suspend, 'maximumDuration') ?? Number.MAX_SAFE_INTEGER,
        initialDuration: numberOf(suspend, 'initialDuration') ?? -1,
      },
      // The reference writes it so.
      timeoutState: { errorCodes: codesOf(mark), reties: numberOf(mark, 'retriesBeforeSuspension') ?? 0 },
    },
  };
}

function codesOf(element: ConfigElement | undefined): number[] {
  const text = element?.child('errorCodes')?.text ?? '';
  return [...text.matchAll(/\d+/g)].map(([code]) => Number(code));
}

function numberOf(element: ConfigElement | undefined, child: string): number | undefined {
  const text = element?.child(child)?.text.trim() ?? '';
  return /^-?\d{1,15}$/.test(text) ? Number(text) : undefined;
}
