import { describe, expect, it } from 'vitest';
import { JsonValue } from '../../src/message/property-value.ts';
import { parseXml, type XmlElement } from '../../src/xml/index.ts';
import { message } from '../mediation/harness.ts';

describe('a copy of a message', () => {
  it('has its own payload, headers, scopes and elements', () => {
    const original = message({ body: '<order/>', to: 'http://to' });
    original.payload.envelope();
    original.payload.changed();
    original.headers.set('X', '1');
    original.doingRest = true;
    const element = parseXml('<e><x>1</x></e>').documentElement as XmlElement;
    original.properties.set('element', element);
    original.properties.set('list', [element, element]);
    original.variables.set('v', new JsonValue('{}'));
    const handler = { description: 'of the original', handleFault: async () => {} };
    original.faultStack.push(handler);
    const copy = original.copy();
    expect(copy).toMatchObject({ to: 'http://to', doingRest: true, direction: 'request', faultStack: [handler] });
    expect(copy.operation).toBe(original.operation);
    expect(copy.variables.get('v')).toBe(original.variables.get('v'));
    copy.headers.set('X', '2');
    copy.to = 'http://elsewhere';
    copy.faultStack.pop();
    copy.payload.firstBodyChild()?.setAttribute('changed', 'yes');
    copy.payload.changed();
    const [own, list] = [copy.properties.get('element') as XmlElement, copy.properties.get('list') as XmlElement[]];
    own.setAttribute('changed', 'yes');
    list[0]?.setAttribute('changed', 'yes');
    expect(list).toHaveLength(2);
    expect(list[1]?.textContent).toBe('1');
    expect(original.headers.get('X')).toBe('1');
    expect(original.to).toBe('http://to');
    expect(original.faultStack).toEqual([handler]);
    expect(original.payload.firstBodyChild()?.hasAttribute('changed')).toBe(false);
    expect(element.hasAttribute('changed')).toBe(false);
  });

  it('says what it is a copy of, and shares bytes nobody has looked into', () => {
    const original = message({ body: '<order/>' });
    original.axis2.set('correlation_id', 'k');
    const copy = original.copy();
    expect(copy.messageId).not.toBe(original.messageId);
    expect(copy.text('aggregateCorelation')).toBe('urn:uuid:1');
    expect(String(copy.axis2.get('correlation_id'))).toMatch(/^k_[0-9a-f-]{36}$/);
    expect(copy.payload.originalBytes()).toBe(original.payload.originalBytes());
    expect(original.payload.kind).toBe('unread');
  });
});
