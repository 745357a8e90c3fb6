import type { ConfigElement } from '../grammar/element.ts';
import type { ArtifactReader } from '../grammar/reader.ts';
import type { Endpoint } from './endpoint.ts';
import { readMember } from './member.ts';

/** A child of a group with the element it was read from. */
export interface GroupChild {
  readonly element: ConfigElement;
  readonly endpoint: Endpoint;
}

/**
 * The `<endpoint>` children of a group, or its `<member>` children (spec proxies 5.6); undefined after an error.
 * @param group as the reference calls it in its messages
 */
export function readChildren(
  element: ConfigElement,
  reader: ArtifactReader,
  group: { readonly title: string; readonly name: string | undefined },
  readEndpoint: (child: ConfigElement) => Endpoint | undefined,
): GroupChild[] | undefined {
  const endpoints = element.childrenNamed('endpoint');
  const members = element.childrenNamed('member');
  if (endpoints.length > 0 && members[0]) {
    reader.error(members[0], `<${element.name}> has endpoints or members, not both`);
    return undefined;
  }
  if (endpoints.length + members.length === 0) {
    reader.error(element, `${group.title} endpoint : ${group.name ?? 'AnonymousEndpoint'} - no child endpoints`, {
      expected: '<endpoint> elements',
    });
    return undefined;
  }
  const unique = refuseRepeatedKeys(endpoints, reader);
  const children: GroupChild[] = [];
  for (const child of [...endpoints, ...members]) {
    const endpoint = child.name === 'member' ? readMember(child, reader) : readEndpoint(child);
    if (endpoint) children.push({ element: child, endpoint });
  }
  return unique && children.length === endpoints.length + members.length ? children : undefined;
}

function refuseRepeatedKeys(endpoints: readonly ConfigElement[], reader: ArtifactReader): boolean {
  const keys = new Set<string>();
  let unique = true;
  for (const child of endpoints) {
    const key = child.attribute('key');
    if (key === undefined || key.startsWith('{')) continue;
    if (keys.has(key)) {
      reader.error(child, 'Same endpoint definition cannot be used with in the siblings', {
        attribute: 'key',
        expected: `an endpoint other than '${key}', which the group already has`,
      });
      unique = false;
    }
    keys.add(key);
  }
  return unique;
}
