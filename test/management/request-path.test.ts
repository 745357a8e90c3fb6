import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ManagementApi, startManagementApi } from '../../src/management/management-api.ts';
import { withoutTrailingSlashes } from '../../src/management/request-path.ts';
import { fakeServer } from './fake-server.ts';

it.each([
  ['', '/'],
  ['/', '/'],
  ['///', '/'],
  ['/a', '/a'],
  ['/a//b//', '/a//b'],
])('%j without slashes at its end is %j', (path, expected) => expect(withoutTrailingSlashes(path)).toBe(expected));

it('many slashes take no longer for it', () => {
  const path = `${'/'.repeat(3_000_000)}a`;
  expect(withoutTrailingSlashes(path)).toBe(path);
});

describe('a request is refused before anything is done with its path', () => {
  let api: ManagementApi;
  beforeAll(async () => {
    api = await startManagementApi({ host: '127.0.0.1', port: 0, server: await fakeServer() });
  });
  afterAll(() => api.close());

  /** As no client of ours would send it. */
  const ask = async (target: string) => {
    const socket = connect(api.port, '127.0.0.1');
    socket.write(`GET ${target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
    const reply = await text(socket);
    return [Number(reply.split(' ', 2)[1]), reply] as const;
  };

  it.each([
    ['/healthz', 200],
    [`/${'x'.repeat(1_999)}`, 404],
    [`/${'x'.repeat(2_000)}`, 414],
    [`${'/'.repeat(15_000)}a`, 414],
    [`/${'%2F'.repeat(5_000)}`, 414],
    ['http://[::1/x', 400],
  ])('%s', async (target, expected) => {
    const [status, reply] = await ask(target);
    expect(status).toBe(expected);
    if (expected >= 400) expect(reply).toContain('{"Error":"');
  });
});
