import type { LogDetails } from '../logging/logger.ts';
import type { MessageContext } from '../message/message-context.ts';

/** What `ARTIFACT_NAME` begins with -> the kind of artifact that it is. */
const PREFIXES: ReadonlyArray<readonly [prefix: string, kind: string]> = [
  ['proxy', 'proxy'],
  ['inboundendpoint', 'inboundEndpoint'],
  ['api', 'api'],
];

/**
 * What every log line about a message says of it (OP-70): its id, the artifact that it came in by, and the mediator that runs or ran
 * last.
 */
export function aboutMessage(message: MessageContext): LogDetails {
  const position = message.at?.position;
  return {
    messageId: message.messageId,
    ...artifactNamed(message.text('ARTIFACT_NAME')),
    ...(position && { file: position.file, line: position.line }),
  };
}

/** What the property `ARTIFACT_NAME` says, for a log line. */
export function artifactNamed(name: string | undefined): { artifactKind?: string; artifact?: string } {
  if (name === undefined) return {};
  for (const [prefix, artifactKind] of PREFIXES)
    if (name.startsWith(prefix)) return { artifactKind, artifact: name.slice(prefix.length) };
  return { artifact: name };
}
