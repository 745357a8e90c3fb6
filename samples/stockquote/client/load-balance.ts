/** The client of the load-balancing and failover samples, `ant loadbalancefailover` (stockquote-samples 2.8). */
import { setTimeout as sleep } from 'node:timers/promises';
import { elementChildren, textOf, type XmlElement } from '../../../src/xml/index.ts';
import { type SoapVersion, writeAddressing, writeEnvelope } from '../wire/soap.ts';
import { readAnswer } from './answer.ts';
import { CallFailure } from './failure.ts';
import { type Connection, post } from './http.ts';
import { soapHeaders } from './request.ts';

export interface LoadBalanceOptions {
  /** `simple`: same message each time, stops at the first fault. `session`: three clients in random turn, goes on after faults. */
  readonly mode: 'simple' | 'session';
  /** Where requests are sent. */
  readonly url: URL;
  /** `wsa:To`; no addressing headers at all when it is absent. */
  readonly to: string | undefined;
  /** How many requests; infinite by default. */
  readonly requests: number;
  /** Milliseconds between two requests. */
  readonly sleepMs: number;
  /** In mode session: tell the clients apart by HTTP cookies instead of the ClientID header. */
  readonly httpSession: boolean;
  readonly connection: Connection;
  print(line: string): void;
}

const ACTION = 'urn:sampleOperation';
const CLIENTS = ['c1', 'c2', 'c3'] as const;

/** Sends the requests one after the other. @throws CallFailure in mode simple, at the first request that fails */
export async function runLoadBalanceClient(options: LoadBalanceOptions): Promise<void> {
  const once = options.mode === 'simple' ? simpleClient(options) : sessionClient(options);
  for (let number = 1; number <= options.requests; number += 1) {
    if (number > 1 && options.sleepMs > 0) await sleep(options.sleepMs);
    await once(number);
  }
}

function simpleClient(options: LoadBalanceOptions): (number: number) => Promise<void> {
  let cookie: string | undefined;
  return async (number) => {
    const reply = await call(options, 'soap11', '<Value>Sample string</Value>', '', cookie);
    cookie = reply.cookie ?? cookie;
    options.print(`Request: ${number} ==> ${reply.text}`);
  };
}

function sessionClient(options: LoadBalanceOptions): (number: number) => Promise<void> {
  const cookies: Array<string | undefined> = CLIENTS.map(() => undefined);
  return async (number) => {
    const turn = Math.floor(Math.random() * CLIENTS.length);
    const cookie = options.httpSession ? cookies[turn] : undefined;
    const session = options.httpSession ? (cookie ?? turn + 1) : turn + 1;
    const id = `<syn:ClientID xmlns:syn="http://ws.apache.org/ns/synapse">${CLIENTS[turn]}</syn:ClientID>`;
    try {
      const reply = await call(options, 'soap12', '<Value>v1</Value>', id, cookie);
      cookies[turn] = reply.cookie ?? cookie;
      const shown = options.httpSession ? (reply.cookie ?? cookie ?? ' ') : ' ';
      options.print(`Request: ${number} with Session ID: ${session} ---- Response : with  ${shown} ${reply.text}`);
    } catch (error) {
      if (!(error instanceof CallFailure)) throw error;
      options.print(`Request with session id ${session} - Get a Fault : ${error.message}`);
    }
  };
}

async function call(
  { url, to, connection }: LoadBalanceOptions,
  version: SoapVersion,
  body: string,
  headerBlock: string,
  cookie: string | undefined,
): Promise<{ text: string; cookie: string | undefined }> {
  const messageId = `urn:uuid:${crypto.randomUUID()}`;
  const addressing = to === undefined ? '' : writeAddressing({ to, messageId, action: ACTION });
  const closing = '</soapenv:Header>';
  const header = addressing
    ? addressing.replace(closing, headerBlock + closing)
    : headerBlock && `<soapenv:Header>${headerBlock}${closing}`;
  const headers = { ...soapHeaders(version, ACTION), ...(cookie === undefined ? {} : { Cookie: cookie }) };
  const reply = await post(url, headers, writeEnvelope(version, body, header), connection);
  const { payload } = readAnswer(reply);
  return { text: allText(payload), cookie: reply.headers['set-cookie']?.[0]?.split(';', 1)[0] };
}

function allText(element: XmlElement): string {
  return textOf(element) + elementChildren(element).map(allText).join('');
}
