/**
 * SimpleStockQuoteService: one quote, a year of quotes, the market's activity, and orders (stockquote-samples 1.3 to 1.8).
 * The unsecured stand-in for SecureStockQuoteService is the same service under another name with fewer rules.
 */
import { dateText, doubleText } from '../wire/java-text.ts';
import { drawQuote, type Quote } from '../wire/quotes.ts';
import { escapeText, NS, XSD, XSI } from '../wire/soap.ts';
import { beanArgument, doubleField, field, fields, integerField, textArgument } from './arguments.ts';
import { invocationFault, ServiceFault } from './fault.ts';
import { type Flavour, type Operation, operationsByName, type SampleService, type World } from './operation.ts';
import { stockQuoteSchema, stockQuoteWsdl } from './wsdl.ts';

const TRADING_DAYS = 365;

/** What tells one stock quote service from another. */
interface Variant {
  readonly name: string;
  /** How console lines begin after the date. */
  readonly consoleName: string;
  /** Whether accepted orders carry `#N`. */
  readonly numbersOrders: boolean;
  /** Whether getQuote of the symbol ERR is the fault of the exception sample. */
  readonly failsOnErr: boolean;
}

/** The service of nearly all samples. */
export const simpleStockQuoteService: SampleService = stockQuoteService({
  name: 'SimpleStockQuoteService',
  consoleName: 'samples.services.SimpleStockQuoteService',
  numbersOrders: true,
  failsOnErr: true,
});

/** SecureStockQuoteService without its security, for flows that only need a second service (stockquote-samples 1.14). */
export const secureStockQuoteService: SampleService = stockQuoteService({
  name: 'SecureStockQuoteService',
  consoleName: 'SecureStockQuoteService',
  numbersOrders: false,
  failsOnErr: false,
});

/** FastStockQuoteService reads nothing and always answers the same: the back end for measuring what lies in front of it. */
export const fastStockQuoteService: SampleService = {
  name: 'FastStockQuoteService',
  ignoresRequest: true,
  operations: operationsByName([{ name: 'getQuote', oneWay: false, run: () => ({ body: FAST_ANSWER }) }]),
};

function stockQuoteService(variant: Variant): SampleService {
  const operations = [
    getQuote(variant),
    getFullQuote(variant),
    getMarketActivity(variant),
    placeOrder(variant),
    // The secured service never had the REST operation.
    ...(variant.failsOnErr ? [getSimpleQuote(variant)] : []),
  ];
  return {
    name: variant.name,
    operations: operationsByName(operations),
    description: {
      wsdl: (flavour, addresses) => stockQuoteWsdl(variant.name, flavour, addresses),
      schema: stockQuoteSchema,
    },
  };
}

function getQuote(variant: Variant): Operation {
  return {
    name: 'getQuote',
    oneWay: false,
    run(message, world) {
      const symbol = field(beanArgument(message, 'getQuote', 'request'), 'symbol');
      if (symbol === 'ERR' && variant.failsOnErr) throw invalidSymbol(symbol);
      return { body: singleQuote('getQuote', symbol, variant, world) };
    },
  };
}

function getSimpleQuote(variant: Variant): Operation {
  return {
    name: 'getSimpleQuote',
    oneWay: false,
    run(message, world) {
      const symbol = textArgument(message, 'getSimpleQuote', 'symbol');
      return { body: singleQuote('getSimpleQuote', symbol, variant, world) };
    },
  };
}

function singleQuote(operation: string, symbol: string | null, variant: Variant, world: World): string {
  const timestamp = dateText(world.now());
  world.print(`${timestamp} ${variant.consoleName} :: Generating quote for : ${symbol}`);
  const quote = quoteFields(drawQuote(symbol, world.random, timestamp), prefixOf(world.flavour));
  return response(operation, 'GetQuoteResponse', quote, world.flavour);
}

function getFullQuote(variant: Variant): Operation {
  return {
    name: 'getFullQuote',
    oneWay: false,
    run(message, world) {
      const symbol = field(beanArgument(message, 'getFullQuote', 'request'), 'symbol');
      const timestamp = dateText(world.now());
      world.print(`${timestamp} ${variant.consoleName} :: Full quote for : ${symbol}`);
      const p = prefixOf(world.flavour);
      let days = '';
      for (let day = 0; day < TRADING_DAYS; day += 1) {
        const quote = nestedQuote('quote', drawQuote(symbol, world.random, timestamp), p);
        days += `<${p}:tradeHistory xsi:type="${p}:TradingDay"><${p}:day>${day}</${p}:day>${quote}</${p}:tradeHistory>`;
      }
      return { body: response('getFullQuote', 'GetFullQuoteResponse', days, world.flavour) };
    },
  };
}

function getMarketActivity(variant: Variant): Operation {
  return {
    name: 'getMarketActivity',
    oneWay: false,
    run(message, world) {
      const symbols = fields(beanArgument(message, 'getMarketActivity', 'request'), 'symbols');
      if (symbols.length === 0) throw invocationFault('getMarketActivity');
      const timestamp = dateText(world.now());
      const list = symbols.map(String).join(', ');
      world.print(`${timestamp} ${variant.consoleName} :: Generating Market activity report for : [${list}]`);
      const p = prefixOf(world.flavour);
      const quotes = symbols.map((symbol) => nestedQuote('quotes', drawQuote(symbol, world.random, timestamp), p));
      return { body: response('getMarketActivity', 'GetMarketActivityResponse', quotes.join(''), world.flavour) };
    },
  };
}

function placeOrder(variant: Variant): Operation {
  return {
    name: 'placeOrder',
    oneWay: true,
    run(message, world) {
      const bean = beanArgument(message, 'placeOrder', 'order');
      // All fields are read before a number is taken: a refused order leaves no gap.
      const price = doubleField(bean, 'price');
      const quantity = integerField(bean, 'quantity');
      const symbol = field(bean, 'symbol');
      const number = world.nextOrderNumber();
      const at = world.now();
      const line =
        `${dateText(at)} ${variant.consoleName} :: Accepted order ${variant.numbersOrders ? `#${number} ` : ''}` +
        `for : ${quantity} stocks of ${symbol} at $ ${doubleText(price)}`;
      world.print(line);
      world.accepted({ number, service: variant.name, symbol, quantity, price, at, line });
      return undefined;
    },
  };
}

function invalidSymbol(symbol: string): ServiceFault {
  const reason = `Invalid stock symbol : ${symbol}`;
  const name = 'ns:SimpleStockQuoteServiceException';
  return new ServiceFault(reason, {
    detail: `<${name} xmlns:ns="${NS}"><${name}><ns:Message>${escapeText(reason)}</ns:Message></${name}></${name}>`,
    action: 'urn:getQuoteSimpleStockQuoteServiceException',
  });
}

function prefixOf(flavour: Flavour): string {
  return flavour === 'wso2' ? 'ax21' : 'ns';
}

function response(operation: string, type: string, content: string, flavour: Flavour): string {
  const beans = flavour === 'wso2' ? ` xmlns:ax21="${XSD}"` : '';
  return (
    `<ns:${operation}Response xmlns:ns="${NS}"><ns:return${beans} xmlns:xsi="${XSI}" ` +
    `xsi:type="${prefixOf(flavour)}:${type}">${content}</ns:return></ns:${operation}Response>`
  );
}

function nestedQuote(name: string, quote: Quote, p: string): string {
  return `<${p}:${name} xsi:type="${p}:GetQuoteResponse">${quoteFields(quote, p)}</${p}:${name}>`;
}

/** The fourteen fields, in the alphabetical order that Axis2 gives the properties of a bean. */
function quoteFields(quote: Quote, p: string): string {
  const symbol = quote.symbol === null ? `<${p}:symbol xsi:nil="true"/>` : text(p, 'symbol', quote.symbol);
  return (
    text(p, 'change', doubleText(quote.change)) +
    text(p, 'earnings', doubleText(quote.earnings)) +
    text(p, 'high', doubleText(quote.high)) +
    text(p, 'last', doubleText(quote.last)) +
    text(p, 'lastTradeTimestamp', quote.lastTradeTimestamp) +
    text(p, 'low', doubleText(quote.low)) +
    text(p, 'marketCap', doubleText(quote.marketCap)) +
    text(p, 'name', quote.name) +
    text(p, 'open', doubleText(quote.open)) +
    text(p, 'peRatio', doubleText(quote.peRatio)) +
    text(p, 'percentageChange', doubleText(quote.percentageChange)) +
    text(p, 'prevClose', doubleText(quote.prevClose)) +
    symbol +
    text(p, 'volume', String(quote.volume))
  );
}

function text(prefix: string, name: string, value: string): string {
  return `<${prefix}:${name}>${escapeText(value)}</${prefix}:${name}>`;
}

/** Always in the WSO2 namespace, whatever the flavour, as the Java service has it. */
const FAST_ANSWER = response(
  'getQuote',
  'GetQuoteResponse',
  quoteFields(
    {
      change: -2.573165716892239,
      earnings: 12.729598827258027,
      high: 181.57938605633444,
      last: 79.93167957835779,
      lastTradeTimestamp: 'Thu Jan 25 17:39:12 IST 2007',
      low: 9.93167957835779,
      marketCap: 5.93167957835779,
      name: 'IBM Company',
      open: 15.93167957835779,
      peRatio: 24.283806785853777,
      percentageChange: -2.334460572410184,
      prevClose: -179.58650497565893,
      symbol: 'IBM',
      volume: 7618,
    },
    'ax21',
  ),
  'wso2',
);
