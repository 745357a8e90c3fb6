import { describe, expect, it } from 'vitest';
import { hasMaskedSecrets, maskedSource } from '../../src/grammar/masked-source.ts';

it('a local entry whose key says that it is a secret is masked, in its place', () => {
  const text = '<localEntry key="api.token">abc def</localEntry><localEntry key="greeting">hello</localEntry>';
  expect(maskedSource(text)).toBe(text.replace('abc def', '*** ***'));
});

describe('secrets of an artifact', () => {
  it.each([
    [
      `<property name="Authorization" expression="fn:concat('Basic ', 'abc=')"/>`,
      `<property name="Authorization" expression="fn:concat('***** ', '****')"/>`,
    ],
    [
      '<property name="api.token" expression="concat(&quot;a b&quot;, $ctx:x)"/>',
      '<property name="api.token" expression="concat(&quot;* *&quot;, $ctx:x)"/>',
    ],
    [`<password expression='"x"'/>`, `<password expression='"*"'/>`],
    [`<property name="to" expression="'here'"/>`, `<property name="to" expression="'here'"/>`],
    [
      String.raw`<format>{"user": "joe", "password" : "a\"b", "n": {"access_token":"x y"}}</format>`,
      '<format>{"user": "joe", "password" : "****", "n": {"access_token":"* *"}}</format>',
    ],
    [
      '<args value="{&quot;secret&quot;:&quot;ab&quot;,&quot;a&quot;:&quot;b&quot;}"/>',
      '<args value="{&quot;secret&quot;:&quot;**&quot;,&quot;a&quot;:&quot;b&quot;}"/>',
    ],
  ])('%s', (text, masked) => {
    expect(maskedSource(text)).toBe(masked);
    expect([hasMaskedSecrets(text), hasMaskedSecrets(masked)]).toEqual([false, text !== masked]);
  });

  it.each([
    `<parameter name="store.jms.password">{wso2:vault-lookup('broker')}</parameter>`,
    `<parameter name="password">{hashicorp:vault-lookup('a/b', 'c')}</parameter>`,
    '<property name="token" value="$SYSTEM:API_TOKEN"/>',
    '<account password="$FILE:db_password"/>',
    `<parameter name="secret">\${configs.secret}</parameter>`,
    `<property name="Authorization" expression="wso2:vault-lookup('api')"/>`,
  ])('what says where a secret is can be read: %s', (text) => {
    expect(maskedSource(text)).toBe(text);
    expect(hasMaskedSecrets(text)).toBe(false);
  });

  it('a look-up beside something else is masked: that may be a part of the secret', () => {
    const text = `<parameter name="password">pre{wso2:vault-lookup('a')}</parameter>`;
    expect(maskedSource(text)).not.toContain('pre');
  });

  it.each([
    '<parameter name="password">***** ***</parameter>',
    '<parameter name="password">*</parameter>',
    '<parameter name="password"><![CDATA[**]]></parameter>',
    '<property name="token" value="**"/>',
    '<account password=" * "/>',
    '<address uri="http://joe:*@h/"/>',
    '<address uri="tcp://h?password=**"/>',
  ])('the asterisks of %s are known again', (text) => expect(hasMaskedSecrets(text)).toBe(true));

  it.each([
    '<header name="Access-Control-Allow-Origin" value="*"/>',
    '<resource methods="*"/>',
    '<trigger cron="* * * * * ?"/>',
    '<property name="token" value=""/>',
    '<property name="token" value="a*b"/>',
  ])('there are none in %s', (text) => expect(hasMaskedSecrets(text)).toBe(false));

  it.each(['"a":"', '"a" ', String.raw`"a":"\"`, '&quot;a&quot;:&quot;', "'"])(
    'a long text of %j takes no more than its length',
    (part) => {
      const start = performance.now();
      maskedSource(`<property name="token" expression="${part.repeat(100_000)}`);
      maskedSource(`<a name='token' expression='${part.replaceAll("'", '&apos;').repeat(100_000)}'/>`);
      expect(performance.now() - start).toBeLessThan(10_000);
    },
  );
});
