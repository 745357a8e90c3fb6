import type { IPublishPacket } from 'mqtt';
import type { Configuration } from '../../message/configuration.ts';
import type { MessageContext } from '../../message/message-context.ts';
import { rawMessage } from '../raw-message.ts';

/** What was published as a message for a flow; topic, quality of service and flags are transport headers. */
export function mqttMessage(
  { topic, payload, qos, retain, dup }: IPublishPacket,
  configuration: Configuration,
  contentType: string | undefined,
): MessageContext {
  const bytes = typeof payload === 'string' ? Buffer.from(payload) : payload;
  const message = rawMessage({ configuration, bytes, contentType, transport: 'mqtt', to: `mqtt:/${topic}` });
  message.headers.set('MQTT_TOPIC_NAME', topic);
  message.headers.set('MQTT_QOS', String(qos));
  message.headers.set('MQTT_RETAINED', String(retain));
  message.headers.set('MQTT_DUPLICATE', String(dup));
  return message;
}
