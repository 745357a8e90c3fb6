import { describe, expect, test } from 'vitest';
import type { LocalEntry } from '../../src/message/local-entry.ts';
import { Payload } from '../../src/message/payload.ts';
import { JsonValue, TypedNumber } from '../../src/message/property-value.ts';
import { serializeXml } from '../../src/xml/index.ts';
import { FakeConfiguration, logged, message, problemLines, problems, sequence } from '../mediation/harness.ts';

const CHECK_PRICE =
  '<m0:CheckPriceRequest xmlns:m0="http://services.samples"><m0:Code>IBM</m0:Code></m0:CheckPriceRequest>';
const QUOTE_LITERAL =
  '<m:getQuote xmlns:m="http://services.samples"><m:request><m:symbol>{symbol}</m:symbol></m:request></m:getQuote>';

const inline = (code: string, language = 'js') => `<script language="${language}"><![CDATA[${code}]]></script>`;

function entries(texts: Readonly<Record<string, string>>): FakeConfiguration {
  const localEntry = Object.fromEntries(
    Object.entries(texts).map(([key, text]): [string, LocalEntry] => [key, { key, text, xml: undefined }]),
  );
  return new FakeConfiguration({ localEntry });
}

async function run(mediator: string, parts: Parameters<typeof message>[0] = {}) {
  const context = message(parts);
  const goesOn = await sequence(mediator).mediate(context);
  return { context, goesOn, body: () => serializeXml(context.payload.firstBodyChild() as never) };
}

const json = (text: string) => ({ body: text, contentType: 'application/json' });

describe('E4X', () => {
  test.each(['js', 'rhinoJs', 'nashornJs'])('the samples run unchanged in %s', async (language) => {
    const code = `var symbol = mc.getPayloadXML()..*::Code.toString();\n mc.setPayloadXML(\n ${QUOTE_LITERAL});`;
    const { body, goesOn } = await run(inline(code, language), { body: CHECK_PRICE });
    expect(body()).toBe(
      '<m:getQuote xmlns:m="http://services.samples"><m:request><m:symbol>IBM</m:symbol></m:request></m:getQuote>',
    );
    expect(goesOn).toBe(true);
  });

  test('what is put into a literal is escaped', async () => {
    const code = 'var v = \'<&">\'; mc.setPayloadXML(<a x={v} y="1">{v}{<b/>}<c/></a>);';
    const { body } = await run(inline(code));
    expect(body()).toBe('<a x="&lt;&amp;&quot;&gt;" y="1">&lt;&amp;"&gt;<b/><c/></a>');
  });

  test('children are members, and can be taken out', async () => {
    const code =
      'var payload = mc.getPayloadXML(); var length = payload.employee.length(); delete payload.employee[length-1]; mc.setPayloadXML(payload);';
    const { body } = await run(inline(code), {
      body: '<l><employee><n>1</n></employee><employee><n>2</n></employee></l>',
    });
    expect(body()).toBe('<l><employee><n>1</n></employee></l>');
  });

  test('attributes, loops, assignments and methods', async () => {
    const code = `var x = mc.getPayloadXML(), sum = 0, names = [];
      for each (var item in x.item) { sum += Number(item.@price); names.push(item.name()); }
      x.total = sum; x.@count = x.item.length(); x.item[0].@price = 9; x.appendChild(<last/>);
      x.item[1].setChildren('two'); mc.setProperty('names', names.join());
      mc.setProperty('second', x.*[1].@price);
      mc.setPayloadXML(x);`;
    const { body, context } = await run(inline(code), {
      body: '<order><item price="1">a</item><item price="2.5">b</item></order>',
    });
    expect(body()).toBe(
      '<order count="2"><item price="9">a</item><item price="2.5">two</item><total>3.5</total><last/></order>',
    );
    expect(context.text('names')).toBe('item,item');
    expect(context.text('second')).toBe('2.5');
  });

  test('the text of a text payload', async () => {
    const code = `var args = mc.getPayloadXML().toString().split(" ");
      mc.setPayloadXML(<placeOrder><order><price>{args[0]}</price><quantity>{args[1]}</quantity></order></placeOrder>);`;
    const { body } = await run(inline(code), { body: '12.33 1000 ACP', contentType: 'text/plain' });
    expect(body()).toContain('<price>12.33</price><quantity>1000</quantity>');
  });

  test('what is not understood is said where it stands', () => {
    const [problem] = problems('<script language="js">var x = 1;\n  y = z.(a == 1);</script>');
    expect(problem?.message).toContain('x.(condition) is not supported');
    expect(problem?.position).toMatchObject({ line: 2, column: 8 });
  });
});

describe('the message', () => {
  test('JSON is read and written', async () => {
    const code = `var p = mc.getPayloadJSON(); mc.setPayloadJSON({ name: p.name, n: null, list: [], o: {}, m: p.missing });`;
    const { context } = await run(inline(code), json('{"name":"x \\"y\\""}'));
    expect(context.payload.json()).toBe('{"name":"x \\"y\\"","n":null,"list":[],"o":{}}');
  });

  test('text that is JSON is not encoded twice (MREQ-35)', async () => {
    const { context } = await run(inline(`mc.setPayloadJSON('{"a":1}')`));
    expect(context.payload.json()).toBe('{"a":1}');
    const other = await run(inline(`mc.setPayloadJSON('word')`));
    expect(other.context.payload.json()).toBe('"word"');
  });

  test('a message without JSON has an empty object, and null survives', async () => {
    const { context } = await run(inline('mc.setProperty("keys", Object.keys(mc.getPayloadJSON()).length)'), {
      body: '<a/>',
    });
    expect(String(context.properties.get('keys'))).toBe('0');
    const nulls = await run(inline('mc.setPayloadJSON(JSON.parse(mc.getJsonText()))'), json('{}'));
    expect(nulls.context.payload.json()).toBe('null');
  });

  test('XML is text unless the script treats it as an object', async () => {
    const code = `var p = mc.getPayloadXML(); mc.setProperty('type', typeof p);
      var list = mc.getXpathResult("//*[local-name()='Code']").selectNodes(p);
      mc.setPayloadXML('<s>' + list.get(0).getText() + '</s>');`;
    const { context, body } = await run(inline(code, 'nashornJs'), { body: CHECK_PRICE });
    expect(context.text('type')).toBe('string');
    expect(body()).toBe('<s>IBM</s>');
  });

  test('properties of all scopes', async () => {
    const code = `mc.setProperty('a', 'A', 'axis2'); mc.setProperty('t', 'T', 'transport'); mc.setProperty('o', 'O', 'operation');
      mc.setProperty('n', 5); mc.setProperty('j', {x: [1]}); mc.setProperty('b', true); mc.setProperty('old', null);
      mc.setProperty('seen', mc.getProperty('n') + 1); mc.removeProperty('gone'); mc.setProperty('after', mc.getProperty('gone') === null);
      mc.setProperty('messageType', 'application/json', 'axis2'); mc.setVariable('v', mc.getVariable('w') + '!');`;
    const context = message();
    context.properties.set('old', 'kept').set('gone', 'x');
    context.variables.set('w', 'hello');
    await sequence(inline(code)).mediate(context);
    expect(context.axis2.get('a')).toBe('A');
    expect(context.headers.get('t')).toBe('T');
    expect(context.operation.get('o')).toBe('O');
    expect(context.properties.get('n')).toEqual(new TypedNumber('INTEGER', 5));
    expect(context.properties.get('j')).toEqual(new JsonValue('{"x":[1]}'));
    expect(context.properties.get('b')).toBe(true);
    expect(context.text('old')).toBe('kept');
    expect(String(context.properties.get('seen'))).toBe('6');
    expect(context.properties.has('gone')).toBe(false);
    expect(context.properties.get('after')).toBe(true);
    expect(context.axis2.get('ContentType')).toBe('application/json');
    expect(context.text('v') ?? context.variables.get('v')).toBe('hello!');
  });

  test('addresses', async () => {
    const context = message();
    context.replyTo = 'http://reply';
    await sequence(
      inline('mc.setTo(mc.getReplyTo()); mc.setSoapAction("urn:x"); mc.setProperty("to", mc.getTo().getAddress());'),
    ).mediate(context);
    expect(context.to).toBe('http://reply');
    expect(context.action).toBe('urn:x');
    expect(context.text('to')).toBe('http://reply');
  });

  test('the envelope is edited in place', async () => {
    const { context } = await run(inline('mc.getEnvelope().getBody().getFirstElement().detach();'), { body: '<a/>' });
    expect(context.payload.firstBodyChild()).toBeUndefined();
  });

  test('a header block', async () => {
    const { context } = await run(inline(`mc.addHeader(true, '<h:x xmlns:h="urn:h">1</h:x>')`), { body: '<a/>' });
    expect(serializeXml(context.payload.header() as never)).toMatch(/<h:x .*mustUnderstand="1".*>1<\/h:x>/);
  });

  test('entries are sent when they are asked for', async () => {
    const configuration = entries({ greeting: 'hello' });
    const code =
      'mc.setProperty("g", mc.getEntry("greeting")); mc.setProperty("none", mc.getLocalEntry("nothing") === null);';
    const { context } = await run(inline(code), { configuration });
    expect(context.text('g')).toBe('hello');
    expect(context.properties.get('none')).toBe(true);
  });

  test('parts of the payload that nothing announces are sent, too', async () => {
    const { context } = await run(inline(`mc.setProperty('xml', mc['getPay' + 'loadXML']())`), { body: '<a/>' });
    expect(context.text('xml')).toBe('<a/>');
  });

  test('what a failed script did is not done', async () => {
    const context = message();
    await expect(
      sequence(inline('mc.setProperty("x", "1"); mc.setTo("y"); throw new Error("no")')).mediate(context),
    ).rejects.toThrow(
      'The script engine returned an error executing the inlined js script function mediate: Error: no',
    );
    expect(context.properties.has('x')).toBe(false);
    expect(context.to).toBe('/services/P');
  });
});

describe('results', () => {
  test.each([
    ['false', false],
    ['1 == 2', false],
    ['true', true],
    ['0', true],
    ['"false"', true],
    ['null', true],
    ['var x = 1', true],
  ])('%s goes on: %s', async (code, expected) => {
    expect((await run(inline(code))).goesOn).toBe(expected);
  });

  const external = (attributes: string, children = '') =>
    `<script language="js" key="code" ${attributes}>${children}</script>`;

  test('a function of an entry, with includes and arguments', async () => {
    const configuration = entries({
      code: 'function transform(mc, a, b, c) { mc.setProperty("r", [a, b + 1, c.x, twice(2)].join()); }',
      more: 'function twice(n) { return 2 * n; }',
    });
    const mediator = external(
      'function="transform"',
      `<include key="more"/><inputs><argument name="a" type="string" value="t"/><argument name="b" type="integer" expression="1 + 1"/>
       <argument name="c" type="json" value='{"x":9}'/></inputs>`,
    );
    const { context } = await run(mediator, { configuration });
    expect(context.text('r')).toBe('t,3,9,4');
  });

  test('the source of an XML entry is its text', async () => {
    const context = message({ body: CHECK_PRICE });
    const xml = message({ body: '<x><![CDATA[function mediate(mc) { mc.setProperty("ran", "yes"); }]]></x>' });
    const entry = { key: 'code', text: '<x/>', xml: xml.payload.firstBodyChild() };
    Object.assign(context, { configuration: new FakeConfiguration({ localEntry: { code: entry } }) });
    await sequence(external('')).mediate(context);
    expect(context.text('ran')).toBe('yes');
  });

  test.each([
    ['({a: [1]})', 'body', '{"a":[1]}'],
    ['"{\\"a\\":2}"', 'body', '{"a":2}'],
    ['5', 'body', '5'],
  ])('%s to the %s', async (value, target, expected) => {
    const configuration = entries({ code: `function mediate(mc) { return ${value}; }` });
    const { context, goesOn } = await run(external(`target="${target}"`), { configuration });
    expect(context.payload.json()).toBe(expected);
    expect(goesOn).toBe(true);
  });

  test('XML to the body, anything to a variable, nothing to neither', async () => {
    const body = entries({ code: 'function mediate(mc) { return <a>{1 + 1}</a>; }' });
    expect((await run(external('target="body"'), { configuration: body })).body()).toBe('<a>2</a>');
    const variable = entries({ code: 'function mediate(mc) { return false; }' });
    const { context, goesOn } = await run(external('target="variable" target-variable="v"'), {
      configuration: variable,
    });
    expect(context.variables.get('v')).toBe(false);
    expect(goesOn).toBe(true);
    const nothing = entries({ code: 'function mediate(mc) {}' });
    await expect(run(external('target="body"'), { configuration: nothing })).rejects.toThrow(
      'Return object is null. Cannot set null object to the target : body',
    );
  });

  test('missing functions, missing scripts and broken scripts', async () => {
    const configuration = entries({ code: 'var x = 1;', broken: 'function (' });
    await expect(run(external('function="f"'), { configuration })).rejects.toThrow(
      'The script engine returned a NoSuchMethodException executing the external js script : code function f',
    );
    await expect(run('<script language="js" key="nope"/>', { configuration })).rejects.toThrow(
      'Cannot find the script nope',
    );
    await expect(run('<script language="js" key="broken"/>', { configuration })).rejects.toThrow(
      'The script broken cannot be used: line 1, column 1: SyntaxError',
    );
  });
});

describe('isolation', () => {
  test('nothing of the host is there', async () => {
    const code = `var names = ['require', 'process', 'fetch', 'WebAssembly', 'setTimeout', 'Buffer', 'std', 'os', '__host', 'host'];
      mc.setProperty('found', names.filter(function (n) { return typeof globalThis[n] !== 'undefined'; }).join());
      mc.setProperty('escape', typeof mc.constructor.constructor('return typeof process')());
      mc.setProperty('process', (0, eval)('typeof process'));`;
    const { context } = await run(inline(code));
    expect(context.text('found')).toBe('');
    expect(context.text('process')).toBe('undefined');
  });

  test('no state goes from one message to another', async () => {
    const mediator = sequence(
      inline(
        'this.count = (this.count || 0) + 1; Array.prototype.leak = (Array.prototype.leak || 0) + 1; mc.setProperty("count", count + "," + [].leak);',
      ),
    );
    for (let i = 0; i < 5; i += 1) {
      const context = message();
      await mediator.mediate(context);
      expect(context.text('count')).toBe('1,1');
    }
  });

  const LIMIT = { isolation: { scriptMs: 300, transformMs: 300 } };
  const limited = () => {
    const configuration = new FakeConfiguration();
    Object.assign(configuration.services, LIMIT);
    return configuration;
  };

  test.each([
    ['an endless loop', 'for(;;);', /took longer than 300 ms/],
    [
      'one that catches everything',
      'for(;;) { try { for(;;); } catch (e) {} finally { for(;;); } }',
      /took longer than/,
    ],
    ['a catastrophic expression', '/^(a+)+$/.test("a".repeat(50) + "b")', /took longer than/],
    ['native code that cannot be interrupted', '[].concat(Array(1e9))', /took longer than/],
    ['deep recursion', 'function f() { return f() + 1; } f()', /stack overflow/],
    ['huge text', '"x".repeat(1 << 29)', /out of memory|too long/],
  ])('%s ends in a fault', async (_, code, reason) => {
    await expect(run(inline(code), { configuration: limited() })).rejects.toThrow(reason);
    const { context } = await run(inline('mc.setProperty("alive", "yes")'));
    expect(context.text('alive')).toBe('yes');
  });

  test('a memory bomb ends in a fault', async () => {
    await expect(run(inline('var a = []; for (;;) a.push(new Array(1000).fill(1));'))).rejects.toThrow(
      /out of memory|took longer/,
    );
    await expect(run(inline('new ArrayBuffer(1 << 30)'))).rejects.toThrow(/out of memory/);
    // Not even the error fits, or what it says.
    await expect(run(inline('var a = []; for (;;) a.push({});'))).rejects.toThrow(/out of memory|took longer/);
  });

  test('only when there is no memory left is it told so', async () => {
    const grown = 'var a = []; for (var i = 0; i < 170; i++) a.push(new Array(20000).fill(i));';
    await expect(run(inline(`${grown} throw null;`))).rejects.toThrow(/thrown: null/);
    // One that was refused once may throw what it likes.
    const refused = 'try { new ArrayBuffer(1 << 30); } catch (e) {}';
    await expect(run(inline(`${grown} ${refused} throw null;`))).rejects.toThrow(/thrown: null/);
  });

  test('a flood of effects ends in a fault', async () => {
    await expect(run(inline('for (;;) mc.setProperty("x", "y");'))).rejects.toThrow(/at most 10000 things/);
  });

  test('a tree that is too deep is refused', async () => {
    await expect(run(inline('mc.setPayloadXML("<a>".repeat(10000) + "</a>".repeat(10000))'))).rejects.toThrow(
      /deep|256/,
    );
  });
});

describe('Java', () => {
  test('the message sleeps, not the thread', async () => {
    const code =
      'var before = Date.now(); java.lang.Thread.sleep(40); mc.setProperty("passed", Date.now() - before >= 40);';
    const start = performance.now();
    const { context } = await run(inline(code));
    expect(performance.now() - start).toBeGreaterThanOrEqual(39);
    expect(context.properties.get('passed')).toBe(true);
    await expect(run(inline('java.lang.Thread.sleep(1e9)'))).rejects.toThrow('a script may sleep 600000 ms at most');
  });

  test('random UUIDs, and nothing else of Java', async () => {
    const { context } = await run(inline('mc.setProperty("u", java.util.UUID.randomUUID().toString())'));
    expect(context.text('u')).toMatch(/^[\da-f]{8}-/);
    expect(problemLines(inline('java.lang.System.exit(1)')).join()).toContain(
      'java.lang.System.exit is not available: scripts run without Java',
    );
  });

  test('print and the log', async () => {
    const records = await logged(() => run(inline('print("a", 1); mc.getServiceLog().warn("careful");')));
    expect(records.map(({ level, message }) => `${level} ${message}`)).toEqual(
      expect.arrayContaining(['info a 1', 'warn careful']),
    );
  });
});

test('payloads that are not looked at stay untouched', async () => {
  const context = message();
  context.payload = Payload.unread(Buffer.from('{broken'), 'application/json');
  await sequence(inline('mc.setProperty("x", "1")')).mediate(context);
  expect(context.payload.untouched).toBe(true);
});

test.each([
  ['<script>1</script>', "error: The 'language' attribute is required for a script mediator"],
  ['<script language="jh">1</script>', 'error: No script engine found for language: jh'],
  [
    '<script language="js" function="f">1</script>',
    "error: Cannot use 'function' attribute without 'key' attribute for a script mediator",
  ],
  [
    '<script language="js"><include key="k"/></script>',
    "error: Cannot use 'include' element without 'key' attribute for a script mediator",
  ],
  [
    '<script language="js" key="k" target="x"/>',
    "error: Invalid 'target' attribute value for script mediator : x. It should be either 'body', 'variable' or 'none'",
  ],
])('%s', (mediator, problem) => {
  expect(problemLines(mediator)).toContain(problem);
});

test.each([
  ['groovy', 'Groovy'],
  ['rb', 'Ruby'],
  ['py', 'Python'],
])('%s is refused with a way out', (language, name) => {
  const [line] = problemLines(`<script language="${language}">x</script>`);
  expect(line).toContain(`error: ${name} scripts are not supported`);
  expect(line).toContain('language="js"');
});

test('a syntax error is found at deployment, in its place', () => {
  const [problem] = problems('<script language="js"><![CDATA[var a = 1;\nif (a < 2) { b = ; }]]></script>');
  expect(problem?.message).toContain('Exception initializing inline script: SyntaxError');
  expect(problem?.position).toMatchObject({ line: 2, column: 18 });
});
