import { describe, expect, it } from 'vitest';
import { TransportHeaders } from '../../src/message/headers.ts';
import { clientStyle, splitTarget } from '../../src/transport/incoming-request.ts';

describe('clientStyle', () => {
  it.each<[string, Array<[string, string]>, string]>([
    [
      'text/xml with SOAPAction',
      [
        ['content-type', 'text/xml; charset=UTF-8'],
        ['SOAPAction', '""'],
      ],
      'soap11',
    ],
    ['text/xml without SOAPAction', [['Content-Type', 'text/xml']], 'rest'],
    ['SOAP 1.2', [['Content-Type', 'Application/SOAP+xml; action="urn:x"']], 'soap12'],
    ['SwA', [['Content-Type', 'multipart/related; boundary=b; type="text/xml"']], 'soap11'],
    [
      'MTOM',
      [['Content-Type', 'multipart/related; type="application/xop+xml"; start-info="application/soap+xml"']],
      'soap12',
    ],
    ['multipart without a type', [['Content-Type', 'multipart/related; boundary=b']], 'rest'],
    [
      'JSON with SOAPAction',
      [
        ['Content-Type', 'application/json'],
        ['SOAPAction', 'x'],
      ],
      'rest',
    ],
    ['nothing', [], 'rest'],
  ])('%s', (_name, headers, style) => {
    expect(clientStyle(TransportHeaders.from(headers))).toBe(style);
  });
});

describe('splitTarget', () => {
  it.each([
    ['/services/P', '/services/P', undefined],
    ['/services/P?', '/services/P', ''],
    ['/services/P?a=1?b', '/services/P', 'a=1?b'],
    ['http://host:8280/services/P?a', '/services/P', 'a'],
    ['HTTPS://host?a', '/', 'a'],
    ['*', '*', undefined],
  ])('%s', (target, path, query) => {
    expect(splitTarget(target)).toEqual({ path, query });
  });
});
