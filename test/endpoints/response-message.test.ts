import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { responseMessage } from '../../src/endpoints/response-message.ts';
import { message, response } from '../mediation/harness.ts';

const XML: Array<[string, string]> = [['Content-Type', 'application/xml; charset=UTF-8']];

function answered(status: number, body: string | Uint8Array, headers = XML, options = {}) {
  const request = message();
  request.properties.set('p', 'v');
  request.operation.set('o', 'v');
  request.axis2.set('a', 'v');
  request.axis2.set('correlation_id', 'c-1');
  request.headers.set('X-Request', '1');
  return { request, answer: responseMessage(request, response(status, body, headers), { rest: false, ...options }) };
}

describe('the answer of a back end', () => {
  it('is a new message in response direction that shares what it must', () => {
    const { request, answer } = answered(200, '<a/>');
    expect(answer).toMatchObject({ direction: 'response', relatesTo: request.messageId, to: undefined });
    expect(answer.messageId).not.toBe(request.messageId);
    expect(answer.properties.get('p')).toBe('v');
    expect(answer.operation).toBe(request.operation);
    expect(answer.axis2.has('a')).toBe(false);
    expect(answer.axis2.get('correlation_id')).toBe('c-1');
    expect([...answer.headers.pairs()]).toEqual(XML);
    expect(answer.faultStack).toEqual([]);
    expect(answer.payload.untouched).toBe(true);
  });

  it('carries its status and type', () => {
    const { answer } = answered(201, '<a/>');
    expect(String(answer.axis2.get('HTTP_SC'))).toBe('201');
    expect(String(answer.axis2.get('ORIGINAL_STATUS_CODE'))).toBe('201');
    expect(answer.axis2.get('messageType')).toBe('application/xml');
    expect(answer.axis2.get('ContentType')).toBe('application/xml; charset=UTF-8');
    expect(answer.axis2.has('FAULT_MESSAGE')).toBe(false);
    expect(answer.axis2.has('SC_ACCEPTED')).toBe(false);
  });

  it('of 400 and more is marked as a fault message, and is none of ours', () => {
    expect(answered(404, '<a/>').answer.axis2.get('FAULT_MESSAGE')).toBe('TRUE');
    expect(answered(503, '').answer.axis2.get('FAULT_MESSAGE')).toBe('TRUE');
  });

  it('of 202 stays one; without a body it says so', () => {
    const { answer } = answered(202, '', []);
    expect(answer.axis2.get('SC_ACCEPTED')).toBe(true);
    expect(answer.axis2.get('NO_ENTITY_BODY')).toBe(true);
    expect(answer.payload.isEmpty).toBe(true);
  });

  it('without a type is taken for bytes', () => {
    expect(answered(200, 'x', []).answer.axis2.get('ContentType')).toBe('application/octet-stream');
  });

  it('may be compressed', () => {
    const { answer } = answered(200, gzipSync('<a>1</a>'), [...XML, ['Content-Encoding', 'gzip']]);
    expect(answer.payload.contentEncoding).toBe('gzip');
    expect(answer.payload.firstBodyChild()?.textContent).toBe('1');
  });

  it('to a one-way send has no body that anyone kept', () => {
    expect(answered(200, '<a/>', XML, { outOnly: true }).answer.payload.isEmpty).toBe(true);
  });

  it('to a request that was sent as REST is one too', () => {
    expect(answered(200, '<a/>', XML, { rest: true }).answer.doingRest).toBe(true);
    expect(answered(200, '<a/>', XML, { rest: false }).answer.doingRest).toBe(false);
  });

  it('IGNORE_SC_ACCEPTED of the request becomes FORCE_SC_ACCEPTED', () => {
    const request = message();
    request.axis2.set('IGNORE_SC_ACCEPTED', 'true');
    const answer = responseMessage(request, response(200, ''), { rest: false });
    expect(answer.axis2.get('FORCE_SC_ACCEPTED')).toBe(true);
  });
});
