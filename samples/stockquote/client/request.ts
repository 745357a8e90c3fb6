/** What each mode of the client sends (stockquote-samples 2.2 to 2.4). */
import { doubleText } from '../wire/java-text.ts';
import { drawOrder, drawSymbol, type Order, type Random } from '../wire/quotes.ts';
import { escapeText, NS, type SoapVersion, WSA, writeAddressing, writeEnvelope } from '../wire/soap.ts';

/** The modes of the stock quote client. */
export const MODES = ['quote', 'customquote', 'fullquote', 'placeorder', 'marketactivity', 'dualquote'] as const;

export type Mode = (typeof MODES)[number];

/** How many symbols the market activity asks for. */
const ACTIVITY_SYMBOLS = 100;

/** A request before it is put into an envelope. */
export interface Payload {
  readonly action: string;
  readonly xml: string;
  /** The order that a placeOrder carries. */
  readonly order?: Order;
}

/** Writes the payload of a mode. @param repeats how many `request` elements a quote has */
export function payloadOf(mode: Mode, symbol: string, repeats: number, random: Random): Payload {
  const name = element('symbol', escapeText(symbol));
  switch (mode) {
    case 'quote':
    case 'dualquote':
      return { action: 'urn:getQuote', xml: wrapper('getQuote', element('request', name).repeat(repeats)) };
    case 'customquote':
      return { action: 'urn:getQuote', xml: wrapper('CheckPriceRequest', element('Code', escapeText(symbol))) };
    case 'fullquote':
      return { action: 'urn:getFullQuote', xml: wrapper('getFullQuote', element('request', name)) };
    case 'marketactivity': {
      const symbols = Array.from({ length: ACTIVITY_SYMBOLS }, () => element('symbols', drawSymbol(random)));
      return {
        action: 'urn:getMarketActivity',
        xml: wrapper('getMarketActivity', element('request', symbols.join(''))),
      };
    }
    case 'placeorder': {
      const order = drawOrder(symbol, random);
      const price = element('price', doubleText(order.price));
      const quantity = element('quantity', String(order.quantity));
      return { action: 'urn:placeOrder', xml: wrapper('placeOrder', element('order', price + quantity + name)), order };
    }
  }
}

function wrapper(name: string, content: string): string {
  return `<m0:${name} xmlns:m0="${NS}">${content}</m0:${name}>`;
}

function element(name: string, content: string): string {
  return `<m0:${name}>${content}</m0:${name}>`;
}

/** A message as it goes on the wire. */
export interface WireMessage {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The addressing of a message; all of it is optional but the id. */
export interface MessageAddressing {
  readonly messageId: string;
  readonly to: string | undefined;
  readonly replyTo: string | undefined;
}

/** The `wsa:ReplyTo` of a message that wants no answer. */
export const NO_REPLY = `${WSA}/none`;

/** Puts a payload into an envelope; `wsa:MessageID` and `wsa:Action` are always there. */
export function soapMessage(version: SoapVersion, payload: Payload, addressing: MessageAddressing): WireMessage {
  const header = writeAddressing({ ...addressing, action: payload.action });
  return { headers: soapHeaders(version, payload.action), body: writeEnvelope(version, payload.xml, header) };
}

/** The HTTP headers of a SOAP message. */
export function soapHeaders(version: SoapVersion, action: string): Record<string, string> {
  return version === 'soap11'
    ? { 'Content-Type': 'text/xml; charset=UTF-8', SOAPAction: `"${action}"` }
    : { 'Content-Type': `application/soap+xml; charset=UTF-8; action="${action}"` };
}

/** The payload as plain XML: no envelope, hence no addressing. */
export function plainMessage(payload: Payload): WireMessage {
  return {
    headers: { 'Content-Type': 'application/xml; charset=UTF-8', SOAPAction: payload.action },
    body: payload.xml,
  };
}
