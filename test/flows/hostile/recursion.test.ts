import { afterAll, beforeAll, describe, it } from 'vitest';
import { inOnly } from '../../support/in-process.ts';
import { HostileServer } from './hostile-server.ts';

/* Artifacts that never come to an end by themselves. */

const XML = { body: '<a><b>1</b><b>2</b></a>', headers: { 'Content-Type': 'application/xml' } };
const ITSELF = '<target sequence="S"/>';

/** The sequence S, which calls itself, and a proxy that calls it. */
const sequence = (content: string, attributes = '') => [
  `<sequence name="S"${attributes}>${content}</sequence>`,
  '<sequence key="S"/>',
];
const template = (content: string, parameters = '') => [
  `<template name="S">${parameters}<sequence>${content}</sequence></template>`,
  '<call-template target="S"><with-param name="p" value="0123456789"/></call-template>',
];
const endpoint = (content: string, attributes = '') => [
  `<endpoint name="S"${attributes}>${content}</endpoint>`,
  '<send><endpoint key="S"/></send>',
];
const THROTTLE = `<throttle id="A"><onAccept><sequence key="S"/></onAccept><onReject><sequence key="S"/></onReject><policy>
  <wsp:Policy xmlns:wsp="http://schemas.xmlsoap.org/ws/2004/09/policy" xmlns:t="http://www.wso2.org/products/wso2commons/throttle">
  <t:MediatorThrottleAssertion><wsp:Policy><t:ID t:type="IP">other</t:ID><wsp:Policy><t:Control><wsp:Policy><t:MaximumCount>4</t:MaximumCount>
  <t:UnitTime>800000</t:UnitTime></wsp:Policy></t:Control></wsp:Policy></wsp:Policy></t:MediatorThrottleAssertion></wsp:Policy></policy></throttle>`;

interface Case {
  readonly artifact: readonly string[];
  readonly told: RegExp;
  /** Default: that the proxy's fault sequence logs the same. */
  readonly logged?: RegExp;
  readonly memoryMiB?: number;
  readonly cpuMs?: number;
}

const TOO_DEEP = /Sequences are nested more than 500 deep: sequence 'S\w*' calls itself/;
const SPLITS_ITSELF = /split more than 50 times, part by part: a mediator splits its own parts/;
const TOO_LARGE_PAYLOAD = /payloadFactory makes a text of more than 17825792 characters/;
const TOO_MANY_NODES = /payloadFactory makes a payload that is too large: the document has more than 2000000 nodes/;
const TOO_MANY_PARTS = /split more than 50 times|More than 10000 parts of the message are under way/;

/** Every `S` is written with the name of its case. */
const CASES: Readonly<Record<string, Case>> = {
  Sequence: { artifact: sequence('<sequence key="S"/>'), told: TOO_DEEP },
  Mutual: {
    artifact: [
      '<definitions><sequence name="S"><filter xpath="true()"><then><sequence key="SOther"/></then></filter></sequence>' +
        '<sequence name="SOther"><switch source="string(1)"><case regex="1"><sequence key="S"/></case></switch></sequence></definitions>',
      '<sequence key="S"/>',
    ],
    told: TOO_DEEP,
  },
  OnError: {
    artifact: sequence('<throwError type="T" errorMessage="again"/>', ' onError="S"'),
    told: /again/,
    logged: /onError sequence 'SOnError' is not asked: the message went through 100 fault handlers already/,
  },
  Template: { artifact: template('<call-template target="S"/>'), told: /nested more than 500 deep/ },
  Enqueue: { artifact: sequence('<enqueue sequence="S" executor="e"/>'), told: TOO_DEEP },
  Router: { artifact: sequence(`<router><route expression="$body/*">${ITSELF}</route></router>`), told: TOO_DEEP },
  Throttle: { artifact: sequence(THROTTLE), told: TOO_DEEP },
  Cache: { artifact: sequence('<cache collector="false" timeout="5"/><sequence key="S"/>'), told: TOO_DEEP },
  Clone: { artifact: sequence(`<clone>${ITSELF}</clone>`), told: SPLITS_ITSELF },
  Clones: { artifact: sequence(`<clone>${ITSELF.repeat(3)}</clone>`), told: TOO_MANY_PARTS, memoryMiB: 300 },
  ClonesInTurn: {
    artifact: sequence(`<clone sequential="true">${ITSELF.repeat(3)}</clone>`),
    told: TOO_MANY_PARTS,
    memoryMiB: 300,
  },
  Iterate: {
    artifact: sequence(
      `<iterate preservePayload="true" attachPath="$body/*" expression="$body/*/*">${ITSELF}</iterate>`,
    ),
    told: SPLITS_ITSELF,
  },
  Foreach: {
    artifact: sequence(
      `<foreach collection="$${'{payload}'}" parallel-execution="true"><sequence><sequence key="S"/></sequence></foreach>`,
    ),
    told: SPLITS_ITSELF,
  },
  ScatterGather: {
    artifact: sequence(
      `<scatter-gather target="Body" result-content-type="JSON" parallel-execution="true">${'<sequence><sequence key="S"/></sequence>'.repeat(3)}<aggregation expression="json-eval($)"/></scatter-gather>`,
    ),
    told: TOO_MANY_PARTS,
    memoryMiB: 300,
    cpuMs: 30_000,
  },
  Indirect: { artifact: endpoint('', ' key="S"'), told: /The endpoint with the key S\w+ leads to itself/ },
  LoadBalance: {
    artifact: endpoint('<loadbalance><endpoint key="S"/></loadbalance>'),
    told: /Loadbalance endpoint : S\w+ - no ready child endpoints/,
  },
  Failover: {
    artifact: endpoint('<failover><endpoint key="S"/></failover>'),
    told: /Failover endpoint : S\w+ - no ready child endpoints|is a child of itself/,
  },
  // What grows with every call.
  DoublingParameter: {
    artifact: template(
      '<call-template target="S"><with-param name="p" value="{fn:concat($func:p,$func:p)}"/></call-template>',
      '<parameter name="p"/>',
    ),
    told: /concat\(\) makes a text of more than 33554432 characters/,
    memoryMiB: 300,
  },
  DoublingProperty: {
    artifact: sequence(
      `<property name="t" expression="fn:concat(get-property('t'),get-property('t'),'0123456789')"/><sequence key="S"/>`,
    ),
    told: /concat\(\) makes a text of more than 33554432 characters/,
    memoryMiB: 300,
  },
  DoublingVariable: {
    artifact: [
      `<sequence name="S"><variable name="t" type="STRING" expression="$${'{vars.t + vars.t}'}"/><sequence key="S"/></sequence>`,
      '<variable name="t" type="STRING" value="0123456789"/><sequence key="S"/>',
    ],
    told: /\+ makes a text of more than 33554432 characters/,
    memoryMiB: 300,
  },
  TriplingXml: {
    artifact: sequence(
      '<payloadFactory media-type="xml"><format><r xmlns="">$1$1$1</r></format><args><arg expression="$body/*/node()"/></args></payloadFactory><sequence key="S"/>',
    ),
    told: TOO_MANY_NODES,
    memoryMiB: 500,
    cpuMs: 30_000,
  },
  TriplingText: {
    artifact: sequence(
      '<payloadFactory media-type="text"><format>$1$1$1</format><args><arg expression="$body/*"/></args></payloadFactory><sequence key="S"/>',
    ),
    told: TOO_LARGE_PAYLOAD,
    // How much of it is garbage that nobody collected yet is a matter of luck.
    memoryMiB: 700,
  },
  GrowingReplacement: {
    artifact: [
      `<sequence name="S"><variable name="t" type="STRING" expression="$${"{replace(vars.t, 'x', 'xxxxxxxxxx')}"}"/><sequence key="S"/></sequence>`,
      '<variable name="t" type="STRING" value="x"/><sequence key="S"/>',
    ],
    told: /replace\(\) makes a text of more than 33554432 characters/,
    memoryMiB: 400,
  },
};

let server: HostileServer;

beforeAll(async () => {
  const artifacts: Record<string, string> = {};
  for (const [name, { artifact }] of Object.entries(CASES)) {
    const [written = '', call = ''] = artifact.map((xml) => xml.replace(/"S(Other)?"/g, `"S${name}$1"`));
    artifacts[`S${name}`] = written;
    artifacts[name] = inOnly(name, call);
  }
  server = await HostileServer.start({ artifacts });
});

afterAll(() => server?.stop());

describe('what calls itself ends with a fault that says so', () => {
  it.each(Object.entries(CASES))('%s', async (name, { told, logged, memoryMiB, cpuMs }) => {
    await server.attack(name, name, {
      ...XML,
      told,
      status: [500, 503],
      logged: logged ?? new RegExp(`\\{proxy:${name}\\}.*ERROR_MESSAGE = .*(${told.source})`),
      ...(memoryMiB !== undefined && { memoryMiB }),
      ...(cpuMs !== undefined && { cpuMs }),
    });
  });
});
