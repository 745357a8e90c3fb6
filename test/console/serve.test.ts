import { createHash } from 'node:crypto';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { ConsoleFiles } from '../../src/console/serve.ts';
import type { Answer } from '../../src/management/resource.ts';

const files = new ConsoleFiles();

async function ask(path: string, options: { method?: string; headers?: Record<string, string> } = {}): Promise<Answer> {
  const answer = await files.answer({ method: options.method ?? 'GET', headers: options.headers ?? {} }, path);
  if (!answer) throw new Error(`${path} is for somebody else`);
  return answer;
}

function bytesOf(answer: Answer): Buffer {
  if (!('text' in answer)) throw new Error('it has no text');
  return Buffer.from(answer.text);
}

describe('the files of the console', () => {
  it('are reached from the root, and leave the management API alone', async () => {
    expect(await ask('/')).toMatchObject({ status: 302, headers: { Location: '/console/' } });
    expect(await ask('/console')).toMatchObject({ status: 302 });
    expect(await ask('/console/')).toMatchObject({ status: 200, type: 'text/html; charset=utf-8' });
    for (const path of ['/management', '/management/overview', '/health/ready', '/consoles', '/metrics'])
      expect(await files.answer({ method: 'GET', headers: {} }, path)).toBeUndefined();
  });

  it('have a policy that allows no script but ours, and of inline ones the import map only', async () => {
    const page = await ask('/console/');
    const html = bytesOf(page).toString();
    const scripts = [...html.matchAll(/<script(?![^>]*\ssrc=)[^>]*>([\s\S]*?)<\/script>/g)].map(
      ([, text]) => text ?? '',
    );
    expect(scripts).toHaveLength(1);
    const hash = createHash('sha256')
      .update(scripts[0] ?? '')
      .digest('base64');
    const policy = page.headers?.['Content-Security-Policy'];
    expect(policy).toContain(`script-src 'self' 'sha256-${hash}'`);
    expect(policy).toContain(`default-src 'self'`);
    expect(policy).not.toContain('unsafe');
    expect(html).not.toMatch(/\son\w+=|style=|https?:\/\//);
  });

  it('hold what the page and the import map name', async () => {
    const html = bytesOf(await ask('/console/')).toString();
    const named = [...html.matchAll(/"(\.\/[\w./-]+\.(?:js|css|svg))"/g)].map(([, path]) => path ?? '');
    expect(named.length).toBeGreaterThan(15);
    for (const path of named) expect((await ask(`/console/${path.slice(2)}`)).status, path).toBe(200);
    for (const library of ['dagre.js', 'uplot.js', 'uplot.css'])
      expect((await ask(`/console/lib/${library}`)).status).toBe(200);
  });

  it('are compressed once for whoever takes that, and not sent again unchanged', async () => {
    const path = '/console/lib/preact.js';
    const plain = await ask(path);
    const zipped = await ask(path, { headers: { 'accept-encoding': 'gzip, deflate' } });
    expect(zipped.headers).toMatchObject({
      'Content-Encoding': 'gzip',
      Vary: 'Accept-Encoding',
      'Cache-Control': 'no-cache',
    });
    expect(gunzipSync(bytesOf(zipped)).equals(bytesOf(plain))).toBe(true);
    expect(bytesOf(zipped).length).toBeLessThan(bytesOf(plain).length / 2);
    const small = await ask(path, { headers: { 'accept-encoding': 'gzip, deflate, br, zstd' } });
    expect(small.headers).toMatchObject({ 'Content-Encoding': 'br' });
    expect(brotliDecompressSync(bytesOf(small)).equals(bytesOf(plain))).toBe(true);
    expect(bytesOf(small).length).toBeLessThan(bytesOf(zipped).length);
    const refused = await ask(path, { headers: { 'accept-encoding': 'gzip;q=0, identity' } });
    expect(refused.headers).not.toHaveProperty('Content-Encoding');
    const tag = zipped.headers?.ETag ?? '';
    expect(tag).not.toBe(plain.headers?.ETag);
    const again = await ask(path, { headers: { 'accept-encoding': 'gzip', 'if-none-match': tag } });
    expect(again).toMatchObject({ status: 304, body: undefined });
    expect((await ask(path, { headers: { 'if-none-match': tag } })).status).toBe(200);
  });

  it('lead to no other file', async () => {
    for (const path of [
      '../serve.ts',
      '..%2fserve.ts',
      '%2e%2e/serve.ts',
      'lib/../../serve.ts',
      'lib/',
      'pages',
      '/etc/passwd',
      'lib/preact.mjs',
      'constructor',
      '__proto__',
    ])
      expect((await ask(`/console/${path}`)).status, path).toBe(404);
  });

  it('can only be read', async () => {
    expect(await ask('/console/', { method: 'HEAD' })).toMatchObject({ status: 200 });
    expect(await ask('/console/', { method: 'POST' })).toMatchObject({ status: 405, headers: { Allow: 'GET, HEAD' } });
  });
});
