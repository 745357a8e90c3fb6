import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { readConfiguration } from '../../src/config/config.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mini-synapse-alerts-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function read(toml: string) {
  const config = join(folder, 'deployment.toml');
  writeFileSync(config, toml);
  return readConfiguration({ config }, {}).alerts;
}

it('has no web hooks, and limits, by default', () => {
  expect(read('')).toEqual({ hooks: [], deadlineMs: 10_000, attempts: 8, queue: 100 });
});

it('reads hooks with what they want to be told', () => {
  const { hooks, attempts } = read(`[alerts]
attempts = 3
[[alerts.webhook]]
url = "https://alerts.example.org/hook"
events = ["processor", "store"]
header = "Authorization"
header_secret = "alert-token"
[[alerts.webhook]]
name = "chat"
url_secret = "chat-url"
`);
  expect(attempts).toBe(3);
  expect(hooks).toEqual([
    {
      name: 'alerts.example.org',
      url: 'https://alerts.example.org/hook',
      urlSecret: undefined,
      kinds: ['processor', 'store'],
      header: { name: 'Authorization', secret: 'alert-token' },
    },
    {
      name: 'chat',
      url: undefined,
      urlSecret: 'chat-url',
      kinds: ['processor', 'stuck', 'store', 'artifact'],
      header: undefined,
    },
  ]);
});

it.each([
  ['url = "ftp://x"', /'url' is no address/],
  ['name = "x"', /needs one of 'url' and 'url_secret'/],
  ['url = "http://x/"\nurl_secret = "y"', /needs one of/],
  ['url = "http://x/"\nevents = ["procesor"]', /'procesor', expected some of: processor/],
  ['url = "http://x/"\nevents = []', /'events' is empty/],
  ['url = "http://x/"\nheader = "X-Token"', /needs both 'header'/],
  ['url = "http://x/"\nheader = "X Token"\nheader_secret = "y"', /no name of a header/],
  ['url = "http://x/"\nheaders = "y"', /unknown key .*did you mean 'header'/],
  ['url = "http://x/"\n[[alerts.webhook]]\nurl = "http://x/"', /has 'x' twice/],
])('refuses %j', (text, problem) => {
  expect(() => read(`[[alerts.webhook]]\n${text}`)).toThrow(problem);
});

it('refuses what it does not know', () => {
  expect(() => read('[alerts]\natempts = 3')).toThrow(/did you mean 'attempts'/);
});
