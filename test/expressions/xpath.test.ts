import { describe, expect, it } from 'vitest';
import { compileExpression } from '../../src/expressions/compile-expression.ts';
import { ValueError } from '../../src/grammar/attributes.ts';
import { MediationError } from '../../src/message/errors.ts';
import { MessageContext } from '../../src/message/message-context.ts';
import { Payload } from '../../src/message/payload.ts';
import { setProperty } from '../../src/message/property-scopes.ts';
import { JsonValue, TypedNumber } from '../../src/message/property-value.ts';
import { elementChildren, serializeXml, type XmlElement } from '../../src/xml/index.ts';
import { configurationWith, elementOf, messageWithBody } from './a-message.ts';

const ORDERS =
  '<m:orders xmlns:m="urn:m"><m:order id="1"><m:symbol> IBM </m:symbol></m:order><m:order id="2"><m:symbol>SUN</m:symbol></m:order></m:orders>';
const PREFIXES = { m: 'urn:m', soap: 'http://schemas.xmlsoap.org/soap/envelope/' };

function textOf(source: string, message: MessageContext = messageWithBody(ORDERS)): string | null {
  return compileExpression(source, PREFIXES).stringValue(message);
}

describe('the context of XPath (spec mediators 4.2.1)', () => {
  it.each([
    ['//m:order[@id="2"]/m:symbol', 'SUN'],
    ['/*/soap:Body/m:orders/m:order[1]/m:symbol', 'IBM'],
    ['soap:Body/m:orders/m:order[1]/@id', '1'],
    ['Body/m:orders', ''],
    ['local-name(.)', 'Envelope'],
    ['$body/m:orders/m:order[2]/@id', '2'],
    ['$body//m:symbol[. = "SUN"]', 'SUN'],
    ['count($env/*)', '2.0'],
    ['count($header/*)', '0.0'],
    ['local-name($env)', 'Envelope'],
    ['syn:local-name($body/*[1])', 'orders'],
  ])('%s → %s', (source, text) => {
    expect(textOf(source)).toBe(text);
  });

  it('accepts core functions under a declared prefix (MREQ-17)', () => {
    const declared = compileExpression("fn:concat('a', 'b')", { fn: 'http://www.w3.org/2005/xpath-functions' });
    expect(declared.stringValue(messageWithBody(ORDERS))).toBe('ab');
    expect(declared.warnings).toEqual([]);
  });

  it('faults for a prefix that is not declared, and says so at deployment', () => {
    const expression = compileExpression('//x:a', {});
    expect(expression.warnings).toEqual(["the prefix 'x' is not declared: the expression will fail"]);
    expect(() => expression.stringValue(messageWithBody(ORDERS))).toThrow(MediationError);
  });
});

describe('variables (spec mediators 4.2.2)', () => {
  function message(): MessageContext {
    const context = messageWithBody(ORDERS);
    context.to = 'http://host/services/P?symbol=IBM&Name=a%20b+c&eq=1=2&empty=&flag&bad=%zz#f?x=1';
    setProperty(context, 'default', 'uri.var.id', 'dotted');
    setProperty(context, 'default', 'a-b', 'one name');
    setProperty(context, 'default', 'a', '5');
    setProperty(context, 'default', 'b', '3');
    setProperty(context, 'axis2', 'HTTP_METHOD', 'POST');
    setProperty(context, 'transport', 'Content-Type', 'text/xml');
    setProperty(context, 'operation', 'op', 'shared');
    setProperty(context, 'system', 'test.expressions.sys', 'process');
    setProperty(context, 'default', 'xml', elementOf(ORDERS));
    setProperty(context, 'default', 'list', elementChildren(elementOf(ORDERS)));
    setProperty(context, 'default', 'json', new JsonValue('{"a":1}'));
    setProperty(context, 'default', 'double', new TypedNumber('DOUBLE', 2));
    setProperty(context, 'default', 'long', new TypedNumber('LONG', 9007199254740993n));
    setProperty(context, 'default', 'truth', false);
    context.variables.set('v', 'variable');
    return context;
  }

  it.each<[source: string, text: string | null]>([
    ['$ctx:uri.var.id', 'dotted'],
    ['$ctx:a-b', 'one name'],
    ['$ctx:a - $ctx:b', '2.0'],
    ['$var:v', 'variable'],
    ['$axis2:HTTP_METHOD', 'POST'],
    ['$trp:content-type', 'text/xml'],
    ['$trp:Content-Type', 'text/xml'],
    ['$operation:op', 'shared'],
    ['$sys:test.expressions.sys', 'process'],
    ['$sys:test.expressions.none', ''],
    ['$func:p', ''],
    ['$url:symbol', 'IBM'],
    ['$url:SYMBOL', 'IBM'],
    ['$url:name', 'a b+c'],
    ['$url:eq', '1=2'],
    ['$url:empty', ''],
    ['$url:flag', ''],
    ['$url:bad', '%zz'],
    ['$url:x', ''],
    ['$url:none', ''],
    ['$var:none', null],
    ['$axis2:none', null],
    ['$trp:none', null],
    ['$operation:none', null],
    ['$ctx:json', '{"a":1}'],
    ['$ctx:double', '2.0'],
    ['concat($ctx:double, "")', '2'],
    ['$ctx:long', '9007199254740993'],
    ['concat($ctx:long, "")', '9007199254740993'],
    ['$ctx:truth', 'false'],
    ['not($ctx:truth)', 'true'],
    ['$ctx:xml', ORDERS],
    ['$ctx:xml/m:order[2]/m:symbol', 'SUN'],
    ['$ctx:xml//m:symbol[1]', '<m:symbol xmlns:m="urn:m">IBM</m:symbol><m:symbol xmlns:m="urn:m">SUN</m:symbol>'],
    ["get-property('xml')/m:order[1]/@id", '1'],
    ['count($ctx:list)', '2.0'],
    ['$ctx:list[2]/m:symbol', 'SUN'],
    ['$ctx:list/@id', '12'],
  ])('%s → %s', (source, text) => {
    expect(textOf(source, message())).toBe(text);
  });

  it('$url reads the query of the request while To is the path at which it came in', () => {
    const context = messageWithBody(ORDERS);
    context.to = '/services/P';
    setProperty(context, 'axis2', 'TransportInURL', '/services/P?symbol=IBM');
    expect(textOf('$url:symbol', context)).toBe('IBM');
    context.to = 'http://elsewhere/P';
    expect(textOf('$url:symbol', context)).toBe('');
  });

  it('an unknown root faults, and is warned about', () => {
    const expression = compileExpression('$other:n', {});
    expect(expression.warnings).toEqual([
      "$other:n is the entry 'n' of a map that the property 'other' holds: without one the expression will fail",
    ]);
    expect(() => expression.stringValue(message())).toThrow(
      'Evaluation of the XPath expression $other:n resulted in an error',
    );
  });

  it('$ctx:body is the SOAP Body, with a warning', () => {
    const expression = compileExpression('$ctx:body/m:orders/m:order[1]/@id', PREFIXES);
    expect(expression.stringValue(message())).toBe('1');
    expect(expression.warnings[0]).toContain('$ctx:body is the SOAP body');
  });

  it('gives nodes and typed values', () => {
    const context = message();
    const nodes = compileExpression('//m:order', PREFIXES).nodes(context);
    expect(nodes).toEqual(elementChildren(context.payload.firstBodyChild() as XmlElement));
    expect(nodes[0]).toBe(elementChildren(context.payload.firstBodyChild() as XmlElement)[0]);
    expect(compileExpression('count(//m:order)', PREFIXES).nodes(context)).toEqual([]);
    expect(compileExpression('$ctx:list', {}).nodes(context)).toHaveLength(2);
    expect(compileExpression('count(//m:order)', PREFIXES).value(context)).toEqual(new TypedNumber('DOUBLE', 2));
    expect(compileExpression('true()', {}).value(context)).toBe(true);
    expect(compileExpression('//m:order[1]', PREFIXES).value(context)).toBe(nodes[0]);
    expect(compileExpression('//m:order', PREFIXES).value(context)).toEqual(nodes);
    expect(compileExpression('//@id', {}).value(context)).toBe('12');
    expect(compileExpression('$ctx:double', {}).value(context)).toEqual(new TypedNumber('DOUBLE', 2));
    expect(compileExpression('$ctx:none', {}).value(context)).toBeNull();
  });
});

describe('string values (spec mediators 4.2.5)', () => {
  it.each([
    ['<a><!-- x --> t <b>u</b></a>', '//a', 't'],
    ['<a>\u00a0x\u00a0y\u00a0</a>', '//a', 'x y'],
    ['<a>\u00a0</a>', '//a', '<a>\u00a0</a>'],
    ['<a><b>1</b></a>', '//a', '<a><b>1</b></a>'],
    ['<a><b> 1 </b><b>2</b></a>', '//b', '<b>1</b><b>2</b>'],
    ['<a xmlns:p="u"><p:b p:c="1"/></a>', '//a/*', '<p:b xmlns:p="u" p:c="1"/>'],
    ['<a><b>1</b>tail</a>', '//a/node()', '<b>1</b>tail'],
    ['<a><b>1</b></a>', '//b/node()', '<b>1</b>'],
    ['<a><b>1</b></a>', '//a/node()', '<b>1</b>'],
    ['<a><b>1</b></a>', '//node()[self::b]', '<b>1</b>'],
    ['<a><b>1</b></a>', '//b/text()', '1'],
    ['<a><![CDATA[<x>]]></a>', '//a', '<x>'],
    ['<a x="1" y="2"/>', '//a/@*', '12'],
    [
      '<a/>',
      '/',
      '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Header/><soapenv:Body><a/></soapenv:Body></soapenv:Envelope>',
    ],
    ['<a/>', '//a/zz', ''],
    ['<a/>', '5', '5.0'],
    ['<a/>', 'true()', 'true'],
    ['<a/>', "'text'", 'text'],
  ])('%s %s → %s', (body, source, text) => {
    expect(textOf(source, messageWithBody(body))).toBe(text);
  });

  it('does not change the message', () => {
    const message = messageWithBody('<a><b> 1 </b><b>2</b></a>');
    textOf('//b', message);
    expect(serializeXml(message.payload.firstBodyChild() as XmlElement)).toBe('<a><b> 1 </b><b>2</b></a>');
  });
});

describe('get-property (spec mediators 4.2.4)', () => {
  function message(): MessageContext {
    const context = messageWithBody(ORDERS, [
      { key: 'text-entry', text: 'from the entry', xml: undefined },
      { key: 'xml-entry', text: ORDERS, xml: elementOf(ORDERS) },
      { key: 'p', text: 'hidden by the property', xml: undefined },
    ]);
    context.to = 'http://to';
    context.action = 'urn:action';
    setProperty(context, 'default', 'p', 'default');
    setProperty(context, 'axis2', 'p', 'axis2');
    setProperty(context, 'operation', 'p', 'operation');
    setProperty(context, 'transport', 'P', 'transport');
    setProperty(context, 'default', 'axis2-client', 'named like a scope');
    setProperty(context, 'default', 'key', 'p');
    return context;
  }

  it.each<[source: string, text: string | null]>([
    ["get-property('p')", 'default'],
    ["syn:get-property('default', 'p')", 'default'],
    ["synapse:get-property('axis2', 'p')", 'axis2'],
    ["get-property('operation', 'p')", 'operation'],
    ["get-property('transport', 'p')", 'transport'],
    ["get-property('none')", null],
    ["get-property('axis2', 'none')", null],
    ["get-property('transport', 'none')", null],
    ["get-property('operation', 'none')", null],
    ["get-property('system', 'none')", ''],
    ["get-property('env', 'TEST_EXPRESSIONS_NONE')", ''],
    ["get-property('registry', 'conf:/x')", ''],
    ["get-property('file', 'x')", ''],
    ["get-property('func', 'x')", ''],
    ["get-property('func', 'x')", ''],
    ['get-property()', ''],
    ["get-property('')", ''],
    ["get-property('axis2-client', 'p')", 'named like a scope'],
    ["get-property('nowhere', 'p', 'yyyy')", ''],
    ['get-property($ctx:key)', 'default'],
    ["get-property('axis2', $ctx:key)", 'axis2'],
    ["concat('[', get-property('none'), ']')", '[]'],
    ["get-property('text-entry')", 'from the entry'],
    ["get-property('xml-entry')//m:order[2]/@id", '2'],
    ["get-property('To')", 'http://to'],
    ["get-property('From')", ''],
    ["get-property('Action')", 'urn:action'],
    ["get-property('FaultTo')", ''],
    ["get-property('ReplyTo')", ''],
    ["get-property('RelatesTo')", ''],
    ["get-property('FAULT')", ''],
    ["get-property('MESSAGE_FORMAT')", 'soap11'],
    ["get-property('OperationName')", ''],
    ["get-property('toString')", null],
    ["get-property('constructor', 'p')", null],
  ])('%s → %s', (source, text) => {
    expect(textOf(source, message())).toBe(text);
  });

  it('answers ids, faults and formats', () => {
    const context = message();
    expect(textOf("get-property('MessageID')", context)).toBe(context.messageId);
    context.doingRest = true;
    expect(textOf("get-property('MESSAGE_FORMAT')", context)).toBe('pox');
    context.axis2.set('FAULT_MESSAGE', 'TRUE');
    expect(textOf("get-property('FAULT')", context)).toBe('TRUE');
    const fault = messageWithBody(
      '<s:Fault xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><faultcode>s:Server</faultcode></s:Fault>',
    );
    expect(textOf("get-property('FAULT')", fault)).toBe('TRUE');
  });

  it('reads the registry, also for default names that nothing else answers', () => {
    const texts: Readonly<Record<string, string>> = { 'conf:/a': 'text' };
    const registry = {
      text: (key: string) => texts[key],
      property: (key: string, name: string) => (key === 'conf:/a' && name === 'p' ? 'property' : undefined),
    };
    const configuration = {
      ...configurationWith(),
      services: { registry },
    } as unknown as MessageContext['configuration'];
    const context = new MessageContext(configuration, Payload.empty());
    expect(textOf("get-property('registry', 'conf:/a')", context)).toBe('text');
    expect(textOf("get-property('registry', 'conf:/a@p')", context)).toBe('property');
    expect(textOf("get-property('registry', 'conf:/a@q')", context)).toBe('');
    expect(textOf("get-property('conf:/a')", context)).toBe('text');
  });

  it('reads the environment', () => {
    process.env.TEST_EXPRESSIONS = 'set';
    expect(textOf("get-property('env', 'TEST_EXPRESSIONS')")).toBe('set');
    delete process.env.TEST_EXPRESSIONS;
  });

  it('tells the time', () => {
    const before = Date.now();
    const time = Number(textOf("get-property('SYSTEM_TIME')"));
    expect(time).toBeGreaterThanOrEqual(before);
    expect(textOf("get-property('SYSTEM_DATE', 'yyyy')")).toMatch(/^20\d\d$/);
    expect(textOf("get-property('axis2', 'SYSTEM_DATE', 'yyyy-MM-dd')")).toMatch(/^20\d\d-\d\d-\d\d$/);
    expect(textOf("get-property('SYSTEM_DATE')")).toMatch(/^\d+\/\d+\/\d\d, \d+:\d\d [AP]M$/);
    expect(() => compileExpression("get-property('SYSTEM_DATE', 'bogus')", {})).toThrow(ValueError);
    expect(() => textOf("get-property('SYSTEM_DATE', concat('b', 'ogus'))")).toThrow(MediationError);
  });

  it('warns about a scope that is none (MREQ-19) and about too many arguments', () => {
    const warnings = (source: string) => compileExpression(source, {}).warnings;
    expect(warnings("get-property('axis2-client', 'p')")[0]).toContain("'axis2-client' is no scope of get-property");
    expect(warnings("get-property('SYSTEM_DATE', 'yyyy')")).toEqual([]);
    expect(warnings("get-property('default', 'p')")).toEqual([]);
    const four = compileExpression("get-property('a', 'b', 'c', 'd')", {});
    expect(four.warnings).toHaveLength(1);
    expect(() => four.stringValue(message())).toThrow(MediationError);
  });
});

describe('functions (spec mediators 4.2.3)', () => {
  it.each([
    ["base64Encode('é')", 'w6k='],
    ["base64Encode('é', 'ISO-8859-1')", '6Q=='],
    ["base64Encode('a', 'UTF-16')", '/v8AYQ=='],
    ["base64Decode('w6k=')", 'é'],
    ["base64Decode('IGEg')", 'a'],
    ["base64Decode('6Q==', 'ISO-8859-1')", 'é'],
    ["base64Decode('/v8AYQ==', 'UTF-16')", 'a'],
    ["url-encode('http://h:1/p a?x=é&y=1+2%#')", 'http://h:1/p%20a?x=%C3%A9&y=1+2%25%23'],
    ["url-encode('é', 'ISO-8859-1')", '%E9'],
    ["url-encode('')", ''],
    ["hmac-generate('payload', 'secret')", 'f75efc0f29bf50c23f99b30b86f7c78fdaf5f11d'],
    [
      "hmac-generate('payload', 'secret', 'HmacSHA256')",
      'b82fcb791acec57859b989b430a826488ce2e479fdf92326bd0a2e8375a42ba4',
    ],
    ['base64Encode()', ''],
    ["base64Encode('a', 'b', 'c')", ''],
    ["hmac-generate('a')", ''],
    ["fn:upper-case('é')", 'É'],
    ["fn:substring-after('a=b', '=')", 'b'],
    ["any:base64Encode('a')", 'YQ=='],
    ["evaluate('//m:order[2]/@id')", '2'],
    ["evaluate(concat('1', ' + 1'))", '2.0'],
  ])('%s → %s', (source, text) => {
    expect(textOf(source)).toBe(text);
  });

  it.each(["encrypt('a', 'b', 'c', 'd')", "decrypt('a', 'b', 'c', 'd')", "document('http://127.0.0.1:1/x.xml')"])(
    '%s is a configuration error',
    (source) => {
      expect(() => compileExpression(source, {})).toThrow(ValueError);
      expect(() => compileExpression(source, {})).toThrow('is known, but not supported yet');
    },
  );

  it.each([
    ["wso2:vault-lookup('a', 'b')", "wso2:vault-lookup() takes ('alias'), not 2 arguments"],
    ["hashicorp:vault-lookup('a')", "hashicorp:vault-lookup() takes ('path', 'field') or"],
    ["hashicorp:vault-lookup('a', 'b', 'c', 'd')", 'not 4 arguments'],
  ])('%s has too many or too few arguments', (source, problem) => {
    expect(() => compileExpression(source, {})).toThrow(ValueError);
    expect(() => compileExpression(source, {})).toThrow(problem);
  });

  it('faults for what it does not know', () => {
    expect(() => textOf("hmac-generate('a', 'b', 'HmacNone')")).toThrow(MediationError);
    expect(() => textOf("base64Encode('a', 'x-none')")).toThrow(MediationError);
  });
});

describe('whether an expression needs the body (MREQ-8)', () => {
  it.each([
    ['//a', true],
    ['$body', true],
    ['$header/a', true],
    ['$env', true],
    ["get-property('FAULT')", true],
    ["get-property('From')", true],
    ["get-property('OperationName')", true],
    ['concat($ctx:a, //b)', true],
    ['$ctx:body', true],
    ['get-property($ctx:which)', true],
    ["get-property('p')", false],
    ["get-property('axis2', 'From')", false],
    ["concat($ctx:a, '/', $trp:b)", false],
    ["'a/b'", false],
    ['$ctx:a/b', false],
    ['$ctx:a[//b]', false],
    ['1 + 1', false],
    ['json-eval($.a)', true],
    ['json-eval($ctx:a.b)', false],
    ['json-eval($ctx:a.{$ctx:b})', false],
    ['json-eval($ctx:a.{//b})', true],
  ])('%s: %s', (source, needsBody) => {
    expect(compileExpression(source, {}).needsBody).toBe(needsBody);
  });

  it('an expression that does not never touches the payload', () => {
    const untouched = new MessageContext(
      configurationWith(),
      Payload.unread(Buffer.from('<a>&broken'), 'application/xml'),
    );
    untouched.properties.set('a', 'x');
    for (const source of ['$ctx:a', "concat($ctx:a, 'b', get-property('axis2', 'c'))", "get-property('To')", '1 + 1']) {
      expect(compileExpression(source, {}).stringValue(untouched)).not.toBeNull();
    }
    expect(untouched.payload.kind).toBe('unread');
    expect(() => textOf('//a', untouched)).toThrow(MediationError);
  });
});

describe('what cannot be compiled', () => {
  it.each([
    ['//a[', 'column 5'],
    ["concat('a'", 'column 11'],
    ['', 'the expression is empty'],
    ['$'.concat('{payload.}'), 'Syntax error in expression: $'.concat('{payload.} it ends at column 11')],
    ['json-eval($.a', "json-eval( is not closed by ')'"],
    ['json-eval($.a[)', 'column 5'],
  ])('%j is a ValueError that says %s', (source, message) => {
    expect(() => compileExpression(source, {})).toThrow(ValueError);
    expect(() => compileExpression(source, {})).toThrow(message);
  });
});

describe('a compiled expression', () => {
  it('keeps no state between messages (MREQ-31)', () => {
    const sources = [
      '//m:order[1]/@id',
      '$ctx:p',
      'concat($ctx:p, //m:symbol[1])',
      'json-eval($.a)',
      'json-eval($.{$ctx:p})',
    ];
    const compiled = sources.map((source) => compileExpression(source, PREFIXES));
    const evaluate = (value: string) => {
      const context = messageWithBody(
        `<m:orders xmlns:m="urn:m"><m:order id="${value}"><m:symbol>${value}</m:symbol></m:order></m:orders>`,
      );
      context.properties.set('p', value);
      return compiled.map((expression) => expression.stringValue(context));
    };
    const first = evaluate('one');
    const second = evaluate('two');
    expect(second).not.toEqual(first);
    expect(evaluate('one')).toEqual(first);
  });

  it('sees a message that was changed in between', () => {
    const context = messageWithBody('<a><b>1</b></a>');
    const expression = compileExpression('count(//b)', {});
    expect(expression.stringValue(context)).toBe('1.0');
    context.payload.replaceBody(elementOf('<a><b/><b/></a>'));
    expect(expression.stringValue(context)).toBe('2.0');
  });
});
