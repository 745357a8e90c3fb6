import { describe, expect, test } from 'vitest';
import type { LocalEntry } from '../../src/message/local-entry.ts';
import { serializeXml, type XmlElement } from '../../src/xml/index.ts';
import { FakeConfiguration, logged, message, problemLines, sequence } from '../mediation/harness.ts';

const stylesheet = (content: string, attributes = 'version="1.0"') =>
  `<xsl:stylesheet ${attributes} xmlns:xsl="http://www.w3.org/1999/XSL/Transform">${content}</xsl:stylesheet>`;
const rule = (content: string) => `<xsl:template match="/">${content}</xsl:template>`;
const COPY =
  '<xsl:template match="@*|node()"><xsl:copy><xsl:apply-templates select="@*|node()"/></xsl:copy></xsl:template>';

const TEXTS: Record<string, string> = {
  greet: stylesheet(`<xsl:param name="who"/>${rule('<hello who="{$who}"><xsl:value-of select="//Code"/></hello>')}`),
  copy: stylesheet(COPY),
  text: stylesheet(`<xsl:output method="text"/>${rule('é &lt; <xsl:value-of select="//Code"/>')}`),
  latin: `<?xml version="1.0" encoding="ISO-8859-1"?>${stylesheet(`<xsl:output encoding="ISO-8859-1"/>${rule('<a>é</a>')}`)}`,
  html: stylesheet(`<xsl:output method="html"/>${rule('<html><br/></html>')}`),
  two: stylesheet(rule('<two><xsl:value-of select="count(//Code)"/></two>'), 'version="2.0"'),
  main: stylesheet(`<xsl:import href="common.xsl"/>${rule('<a><xsl:call-template name="c"/></a>')}`),
  common: stylesheet('<xsl:template name="c">common</xsl:template>'),
  document: stylesheet(rule('<a><xsl:copy-of select="document(\'common.xml\')"/></a>')),
  codes: '<codes><code>1</code></codes>',
  file: stylesheet(rule('<a><xsl:copy-of select="document(\'file:///etc/hostname\')"/></a>')),
  path: stylesheet(rule('<a><xsl:copy-of select="document(\'/etc/hostname\')"/></a>')),
  network: stylesheet(rule('<a><xsl:copy-of select="document(\'http://127.0.0.1:9/x\')"/></a>')),
  write: stylesheet(
    rule('<e:document xmlns:e="http://exslt.org/common" href="/tmp/evil.xml"><x/></e:document><a/>'),
    'version="1.0" extension-element-prefixes="e" xmlns:e="http://exslt.org/common"',
  ),
  doctype: `<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]>${stylesheet(rule('<a>&e;</a>'))}`,
  malformed: '<xsl:stylesheet',
  broken: stylesheet(rule('<xsl:value-of select="foo((("/>')),
  unknown: stylesheet(rule('<xsl:value-of select="nothing(1)"/>')),
  stop: stylesheet(rule('<xsl:message terminate="yes">enough</xsl:message>')),
  say: stylesheet(rule('<xsl:message>a word</xsl:message><a/>')),
  endless: stylesheet(rule('<xsl:apply-templates select="/"/>')),
  // Doubles for ever, without recursion that the processor would notice soon.
  slow: stylesheet(
    `<xsl:template name="r"><xsl:param name="n"/><xsl:if test="$n &gt; 0"><xsl:call-template name="r"><xsl:with-param name="n" select="$n - 1"/></xsl:call-template><xsl:call-template name="r"><xsl:with-param name="n" select="$n - 1"/></xsl:call-template></xsl:if></xsl:template>${rule('<a><xsl:call-template name="r"><xsl:with-param name="n" select="60"/></xsl:call-template></a>')}`,
  ),
  huge: stylesheet(
    `<xsl:template name="r"><xsl:param name="s" select="'xxxxxxxxxxxxxxxx'"/><xsl:call-template name="r"><xsl:with-param name="s" select="concat($s,$s)"/></xsl:call-template></xsl:template>${rule('<xsl:call-template name="r"/>')}`,
  ),
  quotes: stylesheet(`<xsl:param name="p"/>${rule('<a><xsl:value-of select="$p"/></a>')}`),
  envelope: stylesheet(`${COPY}<xsl:template match="Code"><Code>changed</Code></xsl:template>`),
  children: stylesheet(rule('<any><x/><y/></any>')),
};

function configuration(limitMs = 10_000): FakeConfiguration {
  const localEntry = Object.fromEntries(
    Object.entries(TEXTS).map(([key, text]): [string, LocalEntry] => [key, { key, text, xml: undefined }]),
  );
  const made = new FakeConfiguration({ localEntry });
  Object.assign(made.services, { isolation: { scriptMs: limitMs, transformMs: limitMs } });
  return made;
}

const BODY = '<order><Code>IBM</Code></order>';

async function run(mediator: string, body: string | undefined = BODY, limitMs?: number) {
  const context = message({ ...(body !== undefined && { body }), configuration: configuration(limitMs) });
  const goesOn = await sequence(mediator).mediate(context);
  const child = () => serializeXml(context.payload.firstBodyChild() as XmlElement);
  return { context, goesOn, child };
}

describe('transforming', () => {
  test('the payload, with parameters', async () => {
    const { child, goesOn, context } = await run(
      '<xslt key="greet"><property name="who" expression="//Code"/><property name="none" expression="get-property(\'x\')"/></xslt>',
    );
    expect(child()).toBe('<hello who="IBM">IBM</hello>');
    expect(goesOn).toBe(true);
    expect(context.payload.json()).toBeUndefined();
  });

  test('a parameter with both kinds of quotes', async () => {
    const { child } = await run(`<xslt key="quotes"><property name="p" value="&quot;it's&quot; 'x'"/></xslt>`);
    expect(child()).toBe(`<a>"it's" 'x'</a>`);
  });

  test('a dynamic key, and a stylesheet of version 2.0', async () => {
    const { child } = await run(`<xslt key="{concat('t', 'wo')}"/>`);
    expect(child()).toBe('<two>1</two>');
  });

  test('text becomes the text wrapper', async () => {
    const { context } = await run('<xslt key="text"/>');
    expect(context.payload.firstBodyChild()?.namespaceURI).toBe('http://ws.apache.org/commons/ns/payload');
    expect(context.payload.firstBodyChild()?.textContent).toBe('é < IBM');
  });

  test('other encodings and HTML come out as XML', async () => {
    expect((await run('<xslt key="latin"/>')).child()).toBe('<a>é</a>');
    expect((await run('<xslt key="html"/>')).child()).toBe('<html><br/></html>');
  });

  test('a part of the message', async () => {
    const { child } = await run('<xslt key="children" source="//Code"/>');
    expect(child()).toBe('<order><any><x/><y/></any></order>');
  });

  test('of Envelope and Body', async () => {
    expect((await run('<xslt key="envelope" source="/*"/>')).child()).toBe('<order><Code>changed</Code></order>');
    const { context } = await run('<xslt key="children" source="$body"/>');
    expect(context.payload.body().childNodes).toHaveLength(2);
    await expect(run('<xslt key="children" source="/*"/>')).rejects.toThrow('no SOAP envelope');
  });

  test('text that is XML can be a source', async () => {
    const { child } = await run(`<xslt key="greet" source="string('&lt;a>&lt;Code>1&lt;/Code>&lt;/a>')"/>`);
    expect(child()).toBe('<hello who="">1</hello>');
    await expect(run('<xslt key="greet" source="//nothing"/>')).rejects.toThrow('gives no XML');
  });

  test('to a property', async () => {
    const { context, child } = await run('<xslt key="greet" target="p"/>');
    expect(serializeXml(context.properties.get('p') as XmlElement)).toBe('<hello who="">IBM</hello>');
    expect(child()).toBe(BODY);
    const plain = await run(
      '<property name="transform.xslt.result.disableBuild" value="true"/><xslt key="text" target="p"/>',
    );
    expect(plain.context.text('p')).toBe('é < IBM');
  });

  test('an empty Body is left alone', async () => {
    const context = message({ configuration: configuration() });
    const records = await logged(() => sequence('<xslt key="greet"/>').mediate(context));
    expect(records.map(({ message }) => message)).toContain(
      'Found empty soap body, skipping XSLT transformation and continuing the mediation',
    );
  });

  test('xsl:message goes to the log', async () => {
    const records = await logged(() => run('<xslt key="say"/>'));
    expect(records.some(({ message }) => message === 'a word')).toBe(true);
  });

  test('many messages, with and without cache', async () => {
    for (let i = 0; i < 30; i += 1) {
      const cached = i % 2 === 0;
      const { child } = await run(`<xslt key="copy" useCache="${cached}"/>`, `<n>${i}</n>`);
      expect(child()).toBe(`<n>${i}</n>`);
    }
  });

  test('fastXSLT', async () => {
    expect((await run('<fastXSLT key="{\'greet\'}"><property name="who" value="you"/></fastXSLT>')).child()).toBe(
      '<hello who="you">IBM</hello>',
    );
    await expect(run('<fastXSLT key="broken"/>')).rejects.toThrow('Error while transforming the Stream ');
  });
});

describe('what a stylesheet may not', () => {
  test('resources are all that it can read', async () => {
    const mapped = '<resource location="common.xsl" key="common"/>';
    expect((await run(`<xslt key="main">${mapped}</xslt>`)).child()).toBe('<a>common</a>');
    await expect(run('<xslt key="main"/>')).rejects.toThrow(/common\.xsl/);
  });

  test.each([
    ['file', /'file:\/\/\/etc\/hostname' is refused/],
    ['path', /'etc\/hostname' is refused|hostname' is refused/],
    ['network', /'http:\/\/127\.0\.0\.1:9\/x' is refused/],
    ['document', /'common\.xml' is refused/],
    ['write', /may not write files/],
    ['doctype', /DOCTYPE/],
  ])('%s', async (key, reason) => {
    await expect(run(`<xslt key="${key}"/>`)).rejects.toThrow(reason);
  });

  test('what a resource names can also be read with document()', async () => {
    const mediator = '<xslt key="document"><resource location="common.xml" key="codes"/></xslt>';
    // A resource is a stylesheet or any other document.
    expect((await run(mediator)).child()).toBe('<a><codes><code>1</code></codes></a>');
  });

  test.each([
    ['endless', /overflow|out of bounds|recursion|depth|took longer|stack/i],
    ['huge', /memory|out of bounds|took longer|Failed to evaluate/i],
    ['slow', /took longer than 500 ms/],
  ])('%s ends in a fault, and the next message is served', async (key, reason) => {
    await expect(run(`<xslt key="${key}"/>`, BODY, 500)).rejects.toThrow(reason);
    expect((await run('<xslt key="copy"/>')).child()).toBe(BODY);
  });
});

describe('faults', () => {
  test.each([
    [
      'malformed',
      /Unable to perform XSLT transformation using : malformed against source XPath : .* reason : Error compiling the XSLT with key : malformed/,
    ],
    ['broken', /reason : Error compiling the XSLT with key : broken: .*could not compile/s],
    ['unknown', /reason : Error performing XSLT transformation using : unknown: .*Unregistered function/s],
    ['stop', /reason : Error performing XSLT transformation using : stop: enough/],
    ['nothing', /there is no entry with the key 'nothing'/],
  ])('%s', async (key, reason) => {
    await expect(run(`<xslt key="${key}"/>`)).rejects.toThrow(reason);
  });
});

test.each([
  ['<xslt/>', "error: The 'key' attribute is required for the XSLT mediator"],
  ['<fastXSLT/>', "error: The 'key' attribute is required for the FastXSLT mediator"],
  ['<xslt key="k"><feature name="f" value="yes"/></xslt>', 'error: The feature must have value true or false'],
  [
    '<xslt key="k"><attribute name="a" value="1"/><attribute name="a" value="2"/></xslt>',
    "error: Duplicate attribute 'a'",
  ],
])('%s', (mediator, problem) => {
  expect(problemLines(mediator)).toContain(problem);
});

test('a source that is no XPath', () => {
  expect(problemLines('<xslt key="k" source="((("/>')[0]).toContain(
    'Invalid XPath specified for the source attribute : (((',
  );
});
