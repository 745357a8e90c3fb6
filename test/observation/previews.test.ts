import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { noteSecret } from '../../src/logging/secrets.ts';
import { MessageContext } from '../../src/message/message-context.ts';
import { Payload } from '../../src/message/payload.ts';
import { previewPayload } from '../../src/observation/payload-preview.ts';
import { MessageWatch } from '../../src/observation/trace-changes.ts';
import { previewXml } from '../../src/observation/xml-preview.ts';
import { parseXml, serializeXml, type XmlElement } from '../../src/xml/index.ts';
import { FakeConfiguration } from '../mediation/harness.ts';

const bytes = (text: string) => Buffer.from(text, 'utf8');

describe('a preview of a body', () => {
  it('that nobody has read shows its beginning and reads nothing', () => {
    const payload = Payload.unread(bytes(`{"broken": ${'x'.repeat(200_000)}`), 'application/json');
    const preview = previewPayload(payload, 1000);
    expect(preview).toMatchObject({ language: 'json', truncated: true });
    expect(preview.text).toHaveLength(1000);
    expect(payload.kind).toBe('unread');
  });

  it('never cuts through a character', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), fc.integer({ min: 1, max: 40 }), (text, characters) => {
        fc.pre(!/[\ud800-\udfff]/.test(text.replace(/[\ud800-\udbff][\udc00-\udfff]/g, '')));
        const { text: shown } = previewPayload(Payload.unread(bytes(text), 'text/plain'), characters);
        expect(text.startsWith(shown)).toBe(true);
      }),
    );
  });

  it('shows what is no text as hexadecimal digits', () => {
    const payload = Payload.unread(Uint8Array.from([0xff, 0xfe, 0x00]), 'application/octet-stream');
    expect(previewPayload(payload)).toEqual({ text: 'fffe00', language: 'binary', truncated: false });
    expect(previewPayload(Payload.empty())).toEqual({ text: '', language: 'none', truncated: false });
  });

  it('of a tree stops when there is enough', () => {
    const root = parseXml(`<a x="1 &lt; 2">${'<b>t&amp;u</b><c/>'.repeat(50)}</a>`).documentElement as XmlElement;
    expect(previewXml(root, 1_000_000)).toEqual({ text: serializeXml(root), truncated: false });
    const { text, truncated } = previewXml(root, 100);
    expect(serializeXml(root).startsWith(text)).toBe(true);
    expect({ length: text.length, truncated }).toEqual({ length: 100, truncated: true });
  });
});

describe('what a step changed', () => {
  function message(): MessageContext {
    return new MessageContext(new FakeConfiguration(), Payload.ofText('before'));
  }

  it('is properties of every scope, headers and the body', () => {
    const one = message();
    one.properties.set('gone', '1');
    one.properties.set('same', 's');
    const watch = new MessageWatch(one, true);
    one.properties.delete('gone');
    one.properties.set('new', 'n');
    one.axis2.set('HTTP_SC', '202');
    one.headers.set('X-A', 'a');
    one.payload.setText('after');
    const changes = watch.look(one);
    expect(changes).toEqual({
      properties: [
        { scope: 'default', name: 'new', after: 'n' },
        { scope: 'default', name: 'gone', before: '1' },
        { scope: 'axis2', name: 'HTTP_SC', after: '202' },
      ],
      headers: [{ scope: 'transport', name: 'X-A', after: 'a' }],
      bodyChanged: true,
      body: { before: 'before', after: 'after', language: 'text', truncated: false },
    });
  });

  it('is nothing when nothing changed, even if somebody looked into the body', () => {
    const one = message();
    one.payload = Payload.unread(bytes('<a/>'), 'application/xml');
    const watch = new MessageWatch(one, true);
    one.payload.envelope();
    expect(watch.look(one)).toBeUndefined();
  });

  it('never shows secrets', () => {
    const one = message();
    const watch = new MessageWatch(one, false);
    one.properties.set('db.password', 'hidden');
    one.properties.set('address', 'http://me:hidden@host/');
    one.headers.set('Authorization', 'Basic hidden');
    one.headers.set('Cookie', 'session=hidden');
    noteSecret('hidden-by-where-it-is-from');
    one.properties.set('pin', 'hidden-by-where-it-is-from');
    one.headers.set('X-Key', 'Key hidden-by-where-it-is-from');
    const text = JSON.stringify(watch.look(one));
    expect(text).not.toContain('hidden');
    expect(text).toContain('*****');
  });

  it('shows an edit of the tree as a change of the body', () => {
    const one = message();
    one.payload = Payload.unread(bytes('<a/>'), 'application/xml');
    const watch = new MessageWatch(one, true);
    one.payload.firstBodyChild()?.setAttribute('b', '1');
    one.payload.changed();
    expect(watch.look(one)?.body).toMatchObject({
      before: '<a/>',
      after: '<a b="1"/>',
    });
  });
});
