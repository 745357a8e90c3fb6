import type { ConfigElement } from '../grammar/element.ts';
import type { ArtifactReader } from '../grammar/reader.ts';
import { isPolicy, speaksOfSecurity } from './assertions.ts';
import { readPolicy } from './read-policy.ts';

/**
 * Warns about what a local entry with a security policy demands and cannot have here. Other policies are left alone. Messages that such a
 * policy is for are refused.
 */
export function checkLocalPolicy(element: ConfigElement, reader: ArtifactReader): void {
  if (!isPolicy(element.node) || !speaksOfSecurity(element.node)) return;
  for (const { element: assertion, message } of readPolicy(element.node).problems) {
    const { lineNumber: line = 1, columnNumber: column = 1 } = assertion;
    reader.warning(element, `${message}: messages that this policy is for are refused`, {
      position: { file: element.position.file, line, column },
    });
  }
}
