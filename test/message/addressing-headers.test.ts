import { describe, expect, it } from 'vitest';
import { readAddressing } from '../../src/message/addressing-headers.ts';
import { MessageContext } from '../../src/message/message-context.ts';
import { Payload } from '../../src/message/payload.ts';
import { FakeConfiguration } from '../mediation/harness.ts';
import { envelope } from '../support/http-call.ts';

const FINAL = 'http://www.w3.org/2005/08/addressing';
const SUBMISSION = 'http://schemas.xmlsoap.org/ws/2004/08/addressing';

function received(body: string, contentType = 'text/xml'): MessageContext {
  const message = new MessageContext(
    new FakeConfiguration(),
    Payload.unread(Buffer.from(body), contentType, { soapAction: true, method: 'POST' }),
    'urn:uuid:mine',
  );
  message.to = '/services/x';
  message.action = 'urn:q';
  return message;
}

const withHeader = (blocks: string, namespace: string) =>
  envelope('<q/>').replace('<e:Body>', `<e:Header xmlns:wsa="${namespace}">${blocks}</e:Header><e:Body>`);

describe('WS-Addressing headers', () => {
  it.each([FINAL, SUBMISSION])('say where a message and its answers go: %s', (namespace) => {
    const blocks = `<wsa:To> http://shop/ </wsa:To><wsa:Action>urn:order</wsa:Action><wsa:MessageID>urn:uuid:theirs</wsa:MessageID>
      ${['From', 'ReplyTo', 'FaultTo'].map((name) => `<wsa:${name}><wsa:Address>http://${name}/</wsa:Address></wsa:${name}>`).join('')}`;
    const message = received(withHeader(blocks, namespace));
    readAddressing(message);
    expect(message).toMatchObject({
      to: 'http://shop/',
      action: 'urn:order',
      from: 'http://From/',
      replyTo: 'http://ReplyTo/',
      faultTo: 'http://FaultTo/',
      messageId: 'urn:uuid:mine',
    });
    expect(message.payload.originalBytes()).toBeDefined();
  });

  it.each([
    ['none', envelope('<q/>'), 'text/xml'],
    ['empty ones', withHeader('<wsa:To/><wsa:Action> </wsa:Action>', FINAL), 'text/xml'],
    ['other ones', withHeader('<wsa:To>http://shop/</wsa:To>', 'urn:addressing'), 'text/xml'],
    ['those of a broken message', `${withHeader('<wsa:To>http://shop/</wsa:To>', FINAL)}<`, 'text/xml'],
    ['those of a text', withHeader('<wsa:To>http://shop/</wsa:To>', FINAL), 'text/plain'],
  ])('change nothing: %s', (_, body, contentType) => {
    const message = received(body, contentType);
    readAddressing(message);
    expect(message).toMatchObject({ to: '/services/x', action: 'urn:q' });
  });
});
