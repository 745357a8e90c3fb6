import { describe, expect, it } from 'vitest';
import type { HttpRequest } from '../../src/transport/http-sender.ts';
import { endpoint, endpointProblems, FakeConfiguration, message, response } from '../mediation/harness.ts';

const http = (inside: string) =>
  `<endpoint><http method="POST" uri-template="http://b/s"><authentication>${inside}</authentication></http></endpoint>`;
const grant = (name: string, inside: string) =>
  http(
    `<oauth><${name}><clientId>me</clientId><clientSecret>s3cret</clientSecret><tokenUrl>http://t/token?x=1</tokenUrl>${inside}</${name}></oauth>`,
  );
const headerOf = ({ headers }: HttpRequest, name: string) =>
  headers.filter(([each]) => each.toLowerCase() === name).map(([, value]) => value);
const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;

/** A back end that takes what `accepts` says, and a server that hands out tokens. */
function world(
  options: { accepts?: (authorization: string) => boolean; token?: (count: number) => [number, unknown] } = {},
) {
  const { accepts = () => true, token = (count) => [200, { access_token: `T${count}`, expires_in: 3600 }] } = options;
  const configuration = new FakeConfiguration();
  const asked: HttpRequest[] = [];
  const sent: HttpRequest[] = [];
  configuration.sender.answer = (request) => {
    if (request.url.startsWith('http://t/')) {
      asked.push(request);
      const [status, answer] = token(asked.length);
      return response(status, JSON.stringify(answer));
    }
    sent.push(request);
    return response(accepts(headerOf(request, 'authorization')[0] ?? '') ? 200 : 401, '{}');
  };
  const send = async (target: ReturnType<typeof endpoint>, properties: Record<string, string> = {}) => {
    const context = message({ configuration, body: '{}', contentType: 'application/json' });
    context.headers.set('Authorization', 'Bearer of-the-client');
    for (const [name, value] of Object.entries(properties)) context.properties.set(name, value);
    const answer = await target.send(context);
    return answer.axis2.get('HTTP_SC');
  };
  return { asked, sent, send };
}

const form = ({ body }: HttpRequest) => Object.fromEntries(new URLSearchParams(Buffer.from(body ?? []).toString()));

describe('basicAuth', () => {
  it("takes the place of the client's header; values may be expressions", async () => {
    const { sent, send } = world();
    const target = endpoint(
      http(`<basicAuth><username>{get-property('u')}</username><password>pä:ss</password></basicAuth>`),
    );
    await send(target, { u: 'ann' });
    await send(target, { u: 'bob' });
    expect(sent.map((request) => headerOf(request, 'authorization'))).toEqual([
      [basic('ann:pä:ss')],
      [basic('bob:pä:ss')],
    ]);
  });

  it('does not try again after a 401', async () => {
    const { sent, send } = world({ accepts: () => false });
    const target = endpoint(http('<basicAuth><username>a</username><password>b</password></basicAuth>'));
    expect(String(await send(target))).toBe('401');
    expect(sent).toHaveLength(1);
  });
});

describe('oauth', () => {
  it.each([
    ['clientCredentials', '', { grant_type: 'client_credentials' }],
    ['authorizationCode', '<refreshToken>r</refreshToken>', { grant_type: 'refresh_token', refresh_token: 'r' }],
    [
      'passwordCredentials',
      '<username>u</username><password>p</password>',
      { grant_type: 'password', username: 'u', password: 'p' },
    ],
  ])('%s: one token for many messages, asked for with the credentials in a header', async (name, inside, expected) => {
    const { asked, sent, send } = world();
    const target = endpoint(grant(name, inside));
    await Promise.all([send(target), send(target)]);
    await send(target);
    expect(sent.map((request) => headerOf(request, 'authorization'))).toEqual(Array(3).fill(['Bearer T1']));
    expect(asked.map(({ method, url }) => [method, url])).toEqual([['POST', 'http://t/token?x=1']]);
    const [request] = asked;
    expect(request && [form(request), headerOf(request, 'authorization'), headerOf(request, 'content-type')]).toEqual([
      expected,
      [basic('me:s3cret')],
      ['application/x-www-form-urlencoded'],
    ]);
  });

  it('the credentials are in the form where authMode says so, with further parameters and headers', async () => {
    const { asked, send } = world();
    const more = `<authMode>Payload</authMode><requestParameters><parameter name="scope">{get-property('s')}</parameter></requestParameters><customHeaders><header name="X-Tenant">t</header></customHeaders><socketTimeout>700</socketTimeout><connectionTimeout>-1</connectionTimeout>`;
    await send(endpoint(grant('clientCredentials', more)), { s: 'read' });
    const [request] = asked;
    expect(request && form(request)).toEqual({
      grant_type: 'client_credentials',
      scope: 'read',
      client_id: 'me',
      client_secret: 's3cret',
    });
    expect(
      request && [headerOf(request, 'x-tenant'), headerOf(request, 'authorization'), request.responseTimeoutMs],
    ).toEqual([['t'], [], 700]);
  });

  it('a token that is not taken is asked for anew, once', async () => {
    const { asked, sent, send } = world({ accepts: (authorization) => authorization === 'Bearer T2' });
    const target = endpoint(grant('clientCredentials', ''));
    expect(String(await send(target))).toBe('200');
    expect(String(await send(target))).toBe('200');
    expect([asked.length, sent.length]).toEqual([2, 3]);
    const never = world({ accepts: () => false });
    expect(String(await never.send(endpoint(grant('clientCredentials', ''))))).toBe('401');
    expect([never.asked.length, never.sent.length]).toEqual([2, 2]);
  });

  it('a token is used for as long as it lives', async () => {
    const { asked, send } = world({ token: (count) => [200, { access_token: `T${count}`, expires_in: 1e-9 }] });
    const target = endpoint(grant('clientCredentials', ''));
    await send(target);
    await expect.poll(async () => (await send(target)) && asked.length).toBeGreaterThan(1);
  });

  it.each([
    [401, { error: 'invalid_client', hint: 's3cret' }, 'it answered 401'],
    [200, { token: 'x' }, 'its answer has no access_token'],
  ])('no token (%i %j): 303003, without what was answered', async (status, answer, reason) => {
    const { sent, send } = world({ token: () => [status, answer] });
    await expect(send(endpoint(grant('clientCredentials', '')))).rejects.toMatchObject({
      message: `Error while generating an access token for the endpoint at http://t/token: ${reason}`,
      code: 303003,
    });
    expect(sent).toEqual([]);
  });
});

describe('what is wrong with <authentication>', () => {
  it.each([
    [http(''), '<authentication> has neither <basicAuth> nor <oauth>'],
    [http('<basicAuth><username>a</username></basicAuth>'), '<password> is required inside <basicAuth>'],
    [http('<oauth/>'), '<oauth> needs exactly one grant'],
    [
      http('<oauth><clientCredentials><clientId>a</clientId><tokenUrl>http://t</tokenUrl></clientCredentials></oauth>'),
      '<clientSecret> is required inside <clientCredentials>',
    ],
    [grant('authorizationCode', ''), '<refreshToken> is required inside <authorizationCode>'],
    [grant('passwordCredentials', '<username>u</username>'), '<password> is required inside <passwordCredentials>'],
    [grant('clientCredentials', '<authMode>cookie</authMode>'), "<authMode> is 'cookie'"],
    [grant('clientCredentials', '<socketTimeout>soon</socketTimeout>'), "<socketTimeout> is 'soon'"],
    [
      grant('clientCredentials', '<requestParameters><parameter>x</parameter></requestParameters>'),
      "The 'name' attribute is required for <parameter>",
    ],
  ])('%s', (xml, problem) => {
    expect(endpointProblems(xml)).toEqual([`error: ${problem}`]);
  });
});
