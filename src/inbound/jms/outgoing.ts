import { isUtf8 } from 'node:buffer';
import type { FormattedBody } from '../../message/formatter.ts';
import type { MessageContext } from '../../message/message-context.ts';
import { integerOf } from '../../message/property-value.ts';

const JMS_IDENTIFIER = /^[A-Za-z_$][\w$]{0,199}$/;
/** Headers that mean something to a broker, and those that were made of JMS headers when the message came in. */
const NOT_PROPERTIES =
  /^(jms|amq|activemq|_amq|_hq|hdr)|^(destination|receipt|transaction|persistent|priority|expires|type|id|ack|selector|subscription|redelivered|timestamp|browser|transformation|session|server|version|message|login|passcode|host|soapaction|connection|expect)$/i;
const MAX_PROPERTY_CHARACTERS = 2_000;
const CONTROL = /[\u0000-\u001f\u007f]/;

/** A message for a broker: what SEND takes besides its destination. */
export interface JmsFrame {
  readonly headers: Record<string, string>;
  readonly body: Uint8Array;
}

/**
 * What goes to a queue for a written message: a text message wherever it can be one, else a bytes message, persistent; transport
 * headers become properties as far as JMS allows their names.
 * @param contentTypeProperty the property that names the media type, besides `content-type`
 */
export function jmsFrame(
  message: MessageContext,
  formatted: FormattedBody & { readonly soapAction?: string | undefined },
  contentTypeProperty?: string,
): JmsFrame {
  const body = formatted.bytes ?? new Uint8Array(0);
  const bytes =
    message.text('JMS_MESSAGE_TYPE') === 'JMS_BYTE_MESSAGE' ||
    message.axis2.get('JMS_MESSAGE_TYPE') === 'JMS_BYTE_MESSAGE';
  const { contentType, soapAction } = formatted;
  const timeToLive = integerOf(message.axis2.get('JMS_TIME_TO_LIVE'));
  const priority = integerOf(message.axis2.get('JMS_PRIORITY'));
  return {
    headers: {
      ...propertiesOf(message),
      ...(contentType !== undefined && { 'content-type': contentType }),
      ...(contentType !== undefined && contentTypeProperty !== undefined && { [contentTypeProperty]: contentType }),
      ...(soapAction !== undefined && { SOAPAction: soapAction }),
      ...(timeToLive !== undefined && timeToLive > 0 && { expires: String(Date.now() + timeToLive) }),
      ...(priority !== undefined && priority >= 0 && priority <= 9 && { priority: String(priority) }),
      'amq-msg-type': !bytes && isJavaText(body) ? 'text' : 'bytes',
      'content-length': String(body.length),
      persistent: 'true',
    },
    body,
  };
}

function propertiesOf({ headers }: MessageContext): Record<string, string> {
  const properties: Record<string, string> = {};
  for (const [name, value] of headers.pairs()) {
    if (!JMS_IDENTIFIER.test(name) || NOT_PROPERTIES.test(name) || Object.hasOwn(properties, name)) continue;
    if (value.length <= MAX_PROPERTY_CHARACTERS && !CONTROL.test(value)) properties[name] = value;
  }
  return properties;
}

/** Whether Java reads these UTF-8 bytes as the same text: its own UTF-8 has neither NUL nor four-byte sequences. */
function isJavaText(bytes: Uint8Array): boolean {
  if (!isUtf8(bytes)) return false;
  for (const byte of bytes) if (byte === 0 || byte >= 0xf0) return false;
  return true;
}
