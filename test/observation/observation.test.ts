import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type EchoBackEnd, echoBackEnd } from '../support/echo-back-end.ts';
import { call } from '../support/http-call.ts';
import { type InProcess, proxy, serve } from '../support/in-process.ts';
import { waitFor } from '../support/wait-for.ts';

const START_MS = 120_000;

let backEnd: EchoBackEnd;
let runtime: InProcess;

beforeAll(async () => {
  backEnd = await echoBackEnd();
  runtime = await serve(artifacts(backEnd.port));
}, START_MS);

afterAll(async () => {
  await runtime?.stop();
  await backEnd?.close();
});

function artifacts(port: number): Record<string, string> {
  return {
    Shop: proxy(
      'Shop',
      `<inSequence>
        <property name="OUT_ONLY" value="true"/>
        <property name="api.token" value="topsecret"/>
        <filter source="get-property('transport', 'X-Kind')" regex="drop"><then><drop/></then><else><property name="kept" value="yes"/></else></filter>
        <store messageStore="Orders"/>
        <payloadFactory media-type="json"><format>{"stored":true}</format><args/></payloadFactory>
        <respond/>
      </inSequence>`,
    ),
    Faulty: proxy('Faulty', '<inSequence><sequence key="nowhere"/></inSequence><faultSequence><drop/></faultSequence>'),
    Through: proxy(
      'Through',
      '<inSequence><send><endpoint key="BackEnd"/></send></inSequence><outSequence><respond/></outSequence>',
    ),
    BackEnd: `<endpoint name="BackEnd"><address uri="http://127.0.0.1:${port}/"/></endpoint>`,
    Orders: '<messageStore name="Orders"/>',
    Forwarder: `<messageProcessor name="Forwarder" messageStore="Orders" targetEndpoint="BackEnd"
      class="org.apache.synapse.message.processor.impl.forwarder.ScheduledMessageForwardingProcessor">
      <parameter name="interval">10</parameter><parameter name="client.retry.interval">50</parameter>
      <parameter name="max.delivery.attempts">5</parameter>
    </messageProcessor>`,
  };
}

interface Step {
  readonly n: number;
  readonly parent: number;
  readonly mediator: string;
  readonly branch?: string;
  readonly outcome: string;
  readonly status?: number;
  readonly file: string;
  readonly line: number;
  readonly changes: { readonly properties: ReadonlyArray<{ name: string; after?: string }>; readonly body?: object };
}

interface Trace {
  readonly id: string;
  readonly messageId: string;
  readonly outcome: string;
  readonly steps: readonly Step[];
  readonly hops: ReadonlyArray<{ readonly store: string; readonly messageId: string }>;
  readonly deliveries: ReadonlyArray<{ attempt: number; outcome: string; status?: number; processor: string }>;
}

async function ask<T>(path: string, options: { method?: string; body?: unknown } = {}): Promise<T> {
  const { body, method = 'GET' } = options;
  const reply = await call(runtime.management(path), {
    method,
    headers: { 'Content-Type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  if (reply.status >= 400) throw new Error(`${path}: ${reply.status} ${reply.text}`);
  return JSON.parse(reply.text) as T;
}

async function metric(series: string): Promise<number | undefined> {
  const { text } = await call(runtime.management('/metrics'));
  const line = text.split('\n').find((one) => one.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length + 1));
}

const order = (headers: Record<string, string> = {}) =>
  call(runtime.service('Shop'), {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...headers },
    body: '{"a":1}',
  });

async function tracing(mode: string, more: object = {}): Promise<void> {
  await ask('/management/tracing', { method: 'PUT', body: { mode, ...more } });
}

describe('metrics', () => {
  it('count requests, faults, puts, attempts and deliveries, and the depth is the store’s', async () => {
    const label = '{service_name="Shop",service_type="proxy",invocation_url="/services/Shop"}';
    const before = (await metric(`wso2_integration_proxy_request_count_total${label}`)) ?? 0;
    await Promise.all([order(), order(), order()]);
    expect(await metric(`wso2_integration_proxy_request_count_total${label}`)).toBe(before + 3);
    expect(await metric(`wso2_integration_proxy_latency_seconds_count${label}`)).toBe(before + 3);
    const faulty = await call(runtime.service('Faulty'), { method: 'POST', body: 'x' });
    expect(faulty.status).toBe(500);
    const faultyLabel = '{service_name="Faulty",service_type="proxy",invocation_url="/services/Faulty"}';
    expect(await metric(`wso2_integration_proxy_request_count_error_total${faultyLabel}`)).toBe(1);
    expect(await metric('messages_dropped_total{reason="drop"}')).toBe(1);
    expect(await metric('wso2_integration_server_up{version="test"}')).toBe(1);
    expect(await metric('wso2_integration_server_version{version="test"}')).toBe(1);
    await waitFor(async () => (await runtime.depth('Orders')) === 0, { what: 'all delivered' });
    const puts = (await metric('store_puts_total{store="Orders",result="stored"}')) ?? 0;
    expect(puts).toBeGreaterThanOrEqual(3);
    expect(await metric('processor_deliveries_total{processor="Forwarder",outcome="delivered"}')).toBe(puts);
    expect(await metric('processor_attempts_total{processor="Forwarder",status="2xx"}')).toBe(puts);
    expect(await metric('store_put_seconds_bucket{store="Orders",le="+Inf"}')).toBe(puts);
    expect(await metric('store_up{store="Orders"}')).toBe(1);
    expect(await metric('processor_state{processor="Forwarder",state="ACTIVE"}')).toBe(1);
    expect(await metric('endpoint_errors_total{endpoint="BackEnd"}')).toBe(0);
    expect(await metric('eventloop_delay_seconds{quantile="0.99"}')).toBeGreaterThanOrEqual(0);
    await waitFor(async () => (await metric('store_depth{store="Orders"}')) === 0, { what: 'the depth is measured' });
  });

  it('are well-formed Prometheus text, at the reference’s path, too', async () => {
    const reply = await call(runtime.management('/metric-service/metrics'));
    expect(reply.headers['content-type']).toContain('text/plain');
    for (const line of reply.text.split('\n'))
      expect(line).toMatch(/^(?:|# (?:HELP|TYPE) .*|[a-z_][\w:]*(?:\{[^}]*\})? (?:[-+\d.e]+|NaN|[+-]?Inf))$/i);
  });
});

describe('traces (OP-46)', () => {
  it('join mediators, store hop and delivery attempts', async () => {
    await tracing('on', { bodies: true });
    backEnd.answer = () => ({ status: backEnd.received.length % 2 === 1 ? 500 : 202 });
    backEnd.received.length = 0;
    await order();
    const [{ id } = { id: '' }] = (await ask<{ list: Trace[] }>('/management/traces?artifact=Shop')).list;
    const trace = await waitFor(
      async () => {
        const found = await ask<Trace>(`/management/traces/${id}`);
        return found.deliveries.some(({ outcome }) => outcome === 'delivered') && found;
      },
      { what: 'the delivery' },
    );
    await tracing('off');
    backEnd.answer = () => ({});
    expect(trace.outcome).toBe('stored');
    const flow = trace.steps.filter(({ mediator }) => mediator !== 'endpoint').map(({ mediator }) => mediator);
    expect(flow).toEqual(['property', 'property', 'filter', 'property', 'store', 'payloadFactory', 'respond']);
    const filter = trace.steps.find(({ mediator }) => mediator === 'filter');
    expect(filter).toMatchObject({ branch: 'else', outcome: 'on', file: 'Shop.xml', line: 4 });
    const inside = trace.steps.find(({ parent }) => parent === filter?.n);
    expect(inside?.changes.properties).toEqual([{ scope: 'default', name: 'kept', after: 'yes' }]);
    expect(trace.steps.find(({ mediator }) => mediator === 'payloadFactory')?.changes.body).toMatchObject({
      before: '{"a":1}',
      after: '{"stored":true}',
      language: 'json',
    });
    expect(JSON.stringify(trace)).not.toContain('topsecret');
    expect(trace.hops).toMatchObject([{ store: 'Orders' }]);
    expect(trace.deliveries).toMatchObject([
      { processor: 'Forwarder', attempt: 1, outcome: 'failed', status: 500 },
      { processor: 'Forwarder', attempt: 2, outcome: 'delivered', status: 202 },
    ]);
    expect(trace.steps.filter(({ mediator }) => mediator === 'endpoint').map(({ status }) => status)).toEqual([
      500, 202,
    ]);
    const byStored = await ask<Trace>(`/management/traces/${encodeURIComponent(trace.hops[0]?.messageId ?? '')}`);
    expect(byStored.id).toBe(id);
  });

  it('are only those that were asked for', async () => {
    await ask('/management/traces', { method: 'DELETE' });
    await order();
    expect((await ask<{ count: number }>('/management/traces')).count).toBe(0);
    await tracing('on', { artifact: { kind: 'proxy', name: 'Faulty' } });
    await order();
    await call(runtime.service('Faulty'), { method: 'POST', body: 'x' });
    const { list } = await ask<{ list: Trace[] }>('/management/traces?errors=true');
    expect(list).toMatchObject([{ outcome: 'fault', artifact: { kind: 'proxy', name: 'Faulty' } }]);
    const trace = await ask<Trace>(`/management/traces/${list[0]?.id}`);
    expect(trace.steps.find(({ outcome }) => outcome === 'fault')).toMatchObject({
      mediator: 'sequence',
      error: "Sequence named 'nowhere' cannot be found",
    });
    await tracing('default', { artifact: { kind: 'proxy', name: 'Faulty' } });
    expect(await ask('/management/tracing')).toMatchObject({ mode: 'off', artifacts: [] });
  });

  it('follow a message through a back end and back', async () => {
    await tracing('on', { artifact: { kind: 'proxy', name: 'Through' } });
    await call(runtime.service('Through'), { method: 'POST', headers: { 'Content-Type': 'text/plain' }, body: 'x' });
    const { list } = await ask<{ list: Trace[] }>('/management/traces?artifact=Through');
    const { steps } = await ask<Trace>(`/management/traces/${list[0]?.id}`);
    expect(steps.map(({ mediator, outcome }) => `${mediator} ${outcome}`)).toEqual([
      'send stopped',
      'endpoint on',
      'respond stopped',
    ]);
    await tracing('default', { artifact: { kind: 'proxy', name: 'Through' } });
  });
});

interface GraphBody {
  readonly nodes: ReadonlyArray<{ id: string; kind: string; state?: string; file?: string; line?: number }>;
  readonly edges: ReadonlyArray<{ from: string; to: string; label?: string; count: number; errors: number }>;
}

describe('the graph (OP-45)', () => {
  it('shows the way of messages with live counts', async () => {
    const counts = async () => {
      const { edges } = await ask<GraphBody>('/management/graph');
      const between = (from: string, to: string) =>
        edges.find((edge) => edge.from === from && edge.to === to)?.count ?? -1;
      return {
        client: between('client', 'proxy:Shop'),
        branch: between('mediator:proxy/Shop/in/3', 'mediator:proxy/Shop/in/3/then/1'),
        otherwise: between('mediator:proxy/Shop/in/3', 'mediator:proxy/Shop/in/3/else/1'),
        stored: between('mediator:proxy/Shop/in/4', 'store:Orders'),
        joined: between('mediator:proxy/Shop/in/3/else/1', 'mediator:proxy/Shop/in/4'),
        processor: between('store:Orders', 'processor:Forwarder'),
      };
    };
    const before = await counts();
    await order();
    await order({ 'X-Kind': 'drop' });
    const after = await waitFor(
      async () => {
        const now = await counts();
        return now.processor > before.processor && now;
      },
      { what: 'the delivery' },
    );
    expect(after).toEqual({
      client: before.client + 2,
      branch: before.branch + 1,
      otherwise: before.otherwise + 1,
      stored: before.stored + 1,
      joined: before.joined + 1,
      processor: before.processor + 1,
    });
  });

  it('knows files, lines and states', async () => {
    const { nodes } = await ask<GraphBody>('/management/graph?root=store:Orders');
    expect(nodes).toMatchObject([
      { id: 'endpoint:BackEnd', kind: 'endpoint', state: 'ACTIVE', file: 'BackEnd.xml', line: 1 },
      { id: 'store:Orders', kind: 'store', state: 'READY' },
      { id: 'processor:Forwarder', kind: 'processor', state: 'ACTIVE' },
    ]);
    const reply = await call(runtime.management('/management/graph?root=store:Order'));
    expect({ status: reply.status, text: reply.text }).toMatchObject({
      status: 404,
      text: expect.stringContaining('store:Orders'),
    });
  });

  it('is drawn as SVG and as Mermaid', async () => {
    const picture = await call(runtime.management('/management/graph.svg'));
    expect(picture.headers['content-type']).toContain('image/svg+xml');
    expect(picture.text).toMatch(/^<svg [\s\S]*Forwarder[\s\S]*<\/svg>\s*$/);
    expect(picture.text).not.toMatch(/NaN|undefined/);
    const text = (await call(runtime.management('/management/graph.mmd'))).text;
    expect(text).toMatch(/^flowchart LR\n/);
    expect(text).toContain('[("Orders")]:::store');
  });
});

describe('a test message (OP-47)', () => {
  const send = (body: object) =>
    ask<{ status: number; body: string; traceId: string; messageId: string }>('/management/test-message', {
      method: 'POST',
      body,
    });

  it('to a proxy is answered and followed, whatever tracing says', async () => {
    const result = await send({
      target: { kind: 'proxy', name: 'Shop' },
      contentType: 'application/json',
      body: '{"t":1}',
    });
    expect(result).toMatchObject({ status: 200, body: '{"stored":true}' });
    const trace = await ask<Trace>(`/management/traces/${result.traceId}`);
    expect(trace.messageId).toBe(result.messageId);
    expect(trace.hops).toHaveLength(1);
  });

  it('goes into a store and comes out of it', async () => {
    const result = await send({
      target: { kind: 'store', name: 'Orders' },
      contentType: 'text/plain',
      body: 'stored by hand',
    });
    expect(result.status).toBe(202);
    await waitFor(() => backEnd.received.some(({ body }) => body.toString() === 'stored by hand'), {
      what: 'its delivery',
    });
  });

  it('has samples, and a name that is near', async () => {
    const { list } = await ask<{ list: object[] }>('/management/test-message/samples');
    expect(list.length).toBeGreaterThan(3);
    const reply = await call(runtime.management('/management/test-message'), {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: '{"target":{"kind":"proxy","name":"Shpo"}}',
    });
    expect(reply.status).toBe(404);
    expect(JSON.parse(reply.text)).toMatchObject({ didYouMean: 'Shop' });
  });
});

describe('the rest', () => {
  it('log lines about messages say which and whose', async () => {
    backEnd.answer = () => ({ status: 500 });
    await order();
    const line = await waitFor(
      async () => {
        const tail = await ask<{ list: Array<Record<string, unknown>> }>('/management/logs/tail?artifact=Forwarder');
        return tail.list.find(({ level, messageId }) => level === 'error' && messageId !== undefined);
      },
      { what: 'the failed attempt in the log' },
    );
    backEnd.answer = () => ({});
    expect(line).toMatchObject({ processor: 'Forwarder', messageId: expect.stringMatching(/^urn:uuid:/) });
  });

  it('the history of a store has points', async () => {
    const history = await waitFor(
      async () => {
        const found = await ask<{ resolutionMs: number; points: object[] }>(
          '/management/message-stores/Orders/history',
        );
        return found.points.length > 0 && found;
      },
      { what: 'the first point', deadlineMs: 15_000 },
    );
    expect(history.resolutionMs).toBe(5_000);
    expect(history.points[0]).toMatchObject({ t: expect.any(Number), in: expect.any(Number), out: expect.any(Number) });
  });

  it('events come as they happen', async () => {
    const controller = new AbortController();
    const response = await fetch(runtime.management('/management/events?logs=info'), { signal: controller.signal });
    expect(response.headers.get('content-type')).toContain('text/event-stream');
    let text = '';
    const reading = (async () => {
      const decoder = new TextDecoder();
      for await (const chunk of response.body ?? []) text += decoder.decode(chunk, { stream: true });
    })().catch(() => undefined);
    await tracing('on');
    await order();
    await waitFor(() => /^event: overview$/m.test(text) && /^event: trace$/m.test(text) && /^event: log$/m.test(text), {
      what: () => `overview, trace and log in:\n${text.slice(0, 2000)}`,
    });
    await tracing('off');
    controller.abort();
    await reading;
    await waitFor(async () => ((await metric('event_listeners')) === 0 ? 'none' : undefined), {
      what: 'the listener left',
    });
  });
});
