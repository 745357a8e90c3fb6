import { describe, expect, it, test } from 'vitest';
import { ENVIRONMENT_ONLY, readArtifactFile } from '../../src/synapse/index.ts';
import { CORPUS, corpusFiles, readCorpusFile } from '../support/corpus-table.ts';

const SYN = 'xmlns="http://ws.apache.org/ns/synapse"';

function problems(text: string): string[] {
  const { diagnostics } = readArtifactFile({ file: 'inbound.xml', text });
  return diagnostics.map(
    ({ severity, position, message }) => `${position.line}:${position.column} ${severity} ${message}`,
  );
}

const written = (protocol: string, parameters: Readonly<Record<string, string>>, attributes = 'sequence="s"') =>
  `<inboundEndpoint ${SYN} name="n" protocol="${protocol}" ${attributes}>\n<parameters>\n${Object.entries(parameters)
    .map(([name, value]) => `<parameter name="${name}">${value}</parameter>`)
    .join('\n')}\n</parameters></inboundEndpoint>`;

const JMS = {
  'java.naming.factory.initial': 'org.apache.activemq.jndi.ActiveMQInitialContextFactory',
  'java.naming.provider.url': 'tcp://localhost:61616',
};

describe('<inboundEndpoint>', () => {
  it.each([
    ['http', { 'inbound.http.port': '8085' }],
    ['jms', { ...JMS, 'transport.jms.Destination': 'orders' }],
    ['rabbitmq', { 'rabbitmq.queue.name': 'orders' }],
    ['file', { 'transport.vfs.FileURI': 'file:///tmp/in' }],
    ['mqtt', { 'mqtt.topic.name': 'prices/+/#', 'mqtt.subscription.qos': '2', 'content.type': 'application/json' }],
    ['ws', { 'inbound.ws.port': '9091', 'ws.outflow.dispatch.sequence': 'out', 'ws.shutdown.status.code': '4000' }],
    ['wss', { 'inbound.ws.port': '9091' }],
    ['httpws', { port: '5056', 'dispatch.filter.pattern': '/a.*' }],
    ['httpswss', { port: '5100' }],
  ])('%s is accepted', (protocol, parameters) => {
    expect(problems(written(protocol, parameters))).toEqual([]);
  });

  it('names everything that is wrong, with its place', () => {
    expect(problems(written('http', { 'inbound.http.port': 'eighty' }))).toEqual([
      "3:1 error parameter 'inbound.http.port': 'eighty' is not a valid number",
    ]);
    expect(problems(written('http', {}))[0]).toMatch(/^1:1 error Inbound endpoint 'n'.*inbound\.http\.port/);
    expect(problems(written('jms', { ...JMS, 'transport.jms.Destination': 'dynamicTopics/t' }))[0]).toMatch(
      /^5:1 error .*is a topic/,
    );
    expect(problems(written('jms', { ...JMS, 'transport.jms.ConnectionFactoryType': 'topic' }))[0]).toMatch(
      /^5:1 error .*topics are not supported/,
    );
    expect(
      problems(written('rabbitmq', { 'rabbitmq.server.host.name': 'a,b', 'rabbitmq.server.port': '1' }))[0],
    ).toMatch(/^3:1 error .*number of hostnames/);
    expect(problems(written('file', { 'transport.vfs.FileURI': 'sftp://user:secret@host/in' }))[0]).toMatch(
      /^3:1 error .*'sftp:' folders are not supported/,
    );
    expect(problems(written('file', { 'transport.vfs.FileURI': 'sftp://user:secret@host/in' })).join()).not.toContain(
      'secret',
    );
    expect(
      problems(
        written('file', { 'transport.vfs.FileURI': 'file:///in', 'transport.vfs.ActionAfterProcess': 'MOVE' }),
      )[0],
    ).toMatch(/^4:1 error .*MoveAfterProcess does not say where to/);
    expect(problems(written('file', { 'transport.vfs.FileURI': 'file:///in' }, ''))[0]).toMatch(
      /^1:1 error .*has no sequence/,
    );
  });

  it.each(['kafka', 'hl7', 'cxf_ws_rm', 'feed', 'wso2_mb'])(
    '%s is refused, saying what is supported and what to do instead',
    (protocol) => {
      const { diagnostics } = readArtifactFile({ file: 'i.xml', text: written(protocol, {}) });
      expect(diagnostics).toHaveLength(1);
      expect(diagnostics[0]?.message).toContain(`'${protocol}' are known, not supported yet`);
      expect(diagnostics[0]?.expected).toMatch(
        /one of: http, https, jms, .*mqtt, ws, wss, httpws, httpswss; instead of/,
      );
    },
  );

  it('names what is wrong with MQTT and WebSocket parameters, and what has another effect than written', () => {
    expect(problems(written('mqtt', { 'mqtt.topic.name': 'a/#/b' }))[0]).toMatch(
      /^3:1 error .*'#' for all that are left/,
    );
    expect(problems(written('mqtt', { 'mqtt.server.port': '0' }))[0]).toMatch(/^3:1 error .*mqtt\.server\.port/);
    expect(problems(written('mqtt', { 'mqtt.subscription.qos': '3' }))[0]).toMatch(/^3:1 error .*'3' is not allowed/);
    expect(problems(written('mqtt', { 'mqtt.session.clean': 'false' }))[0]).toMatch(/^3:1 warning .*needs a client id/);
    expect(problems(written('ws', {}))[0]).toMatch(/^1:1 error .*'inbound\.ws\.port' is required/);
    expect(problems(written('ws', { 'inbound.ws.port': '1' }, ''))[0]).toMatch(/^1:1 error .*has no sequence/);
    const port = { 'inbound.ws.port': '1' };
    expect(problems(written('ws', { ...port, 'ws.shutdown.status.code': '1006' }))[0]).toMatch(
      /^4:1 error .*no status/,
    );
    expect(problems(written('ws', { ...port, 'ws.subprotocol.handler.class': 'a.B' }))[0]).toMatch(
      /^4:1 error .*Java classes are not run/,
    );
    expect(problems(written('wss', { ...port, 'wss.ssl.key.store.file': 'a.jks' }))[0]).toMatch(
      /^4:1 warning Java key stores are not read/,
    );
    expect(problems(written('wss', { ...port, 'x.tls.key': 'a.pem' }))[0]).toMatch(/^4:1 error .*belong together/);
    expect(problems(written('httpws', { port: '1', protocolVersion: '2.0' }, ''))).toEqual([
      expect.stringMatching(/^4:1 warning HTTP\/2 is not spoken/),
    ]);
    const { artifacts } = readArtifactFile({
      file: 'i.xml',
      text: written('ws', { ...port, 'ws.outflow.dispatch.sequence': 'out' }),
    });
    expect(artifacts[0]?.references).toContainEqual(expect.objectContaining({ kind: 'sequence', name: 'out' }));
  });

  it('neither runs Java classes nor does without a protocol', () => {
    expect(problems(written('', {}, 'class="a.B" sequence="s"').replace('protocol="" ', ''))[0]).toMatch(
      /class a\.B: Java classes are not run/,
    );
    expect(problems(written('', {}).replace('protocol="" ', ''))[0]).toContain('Protocol or Class should be specified');
    expect(readArtifactFile({ file: 'i.xml', text: written('htp', {}) }).diagnostics[0]?.nearest).toBe('http');
  });

  it('reads values from local entries by key, and says which one is missing', () => {
    expect(
      problems(
        written('http', {}).replace('</parameters>', '<parameter name="inbound.http.port" key="p"/></parameters>'),
      )[0],
    ).toContain('Error while deploying inbound endpoint n.Registry entry defined with key: p not found.');
    const text = written('http', {}).replace(
      '</parameters>',
      '<parameter name="inbound.http.port" key="p"/></parameters>',
    );
    const lookup = { ...ENVIRONMENT_ONLY, localEntry: (key: string) => (key === 'p' ? ' 8099 ' : undefined) };
    const [artifact] = readArtifactFile({ file: 'i.xml', text }, lookup).artifacts;
    expect(artifact?.kind === 'inboundEndpoint' && artifact.content.parameters['inbound.http.port']).toBe(8099);
  });
});

const REFUSED = [
  /andes|playground/, // a JNDI properties file of a broker that speaks no STOMP
  /kafka|Weather/i,
  /^transport-synapse/, // a Java class
];

test.skipIf(CORPUS === undefined)('of the corpus, all inbound endpoints are accepted but for other protocols', () => {
  const files = corpusFiles(CORPUS ?? '').filter((file) => file.startsWith('inboundEndpoint/'));
  expect(files).toHaveLength(25);
  for (const file of files) {
    const reading = readCorpusFile(CORPUS ?? '', file);
    const name = file.slice('inboundEndpoint/'.length);
    const errors = reading.diagnostics.filter(({ severity }) => severity === 'error');
    expect(errors.length > 0, `${file}: ${errors.map(({ message }) => message).join('; ')}`).toBe(
      REFUSED.some((pattern) => pattern.test(name)),
    );
    for (const { position, expected } of errors) expect(position.line > 0 && expected, file).toBeTruthy();
  }
});
