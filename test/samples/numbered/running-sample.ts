import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe } from 'vitest';
import { runLoadBalanceClient } from '../../../samples/stockquote/client/load-balance.ts';
import { CallFailure, type StockQuoteOptions, sendStockQuote } from '../../../samples/stockquote/client.ts';
import {
  type Flavour,
  type HttpRequest,
  type StockQuoteService,
  startStockQuoteService,
} from '../../../samples/stockquote/service.ts';
import { freePorts } from '../../support/free-ports.ts';
import { call } from '../../support/http-call.ts';
import { type InProcess, serve } from '../../support/in-process.ts';

/*
 * Runs the numbered samples from their own files, with the sample client in front and the sample back ends behind. A file is taken as
 * it is but for the ports of back ends and broker, which are exchanged for free ones so that tests can run side by side.
 */

// Samples are started in a folder of their own: what this names must not depend on the working directory.
const CORPUS = `${resolve('../shared/corpus/open')}/`;
const RESOURCES = resolve('test/samples/numbered/resources');
/** Where the files of the samples look for their resources: Apache's and WSO2's. */
const RESOURCE_FOLDERS = [
  'repository/conf/sample/resources',
  'samples/service-bus/resources',
  'repository/samples/resources',
];

/** Ports that the files of the samples say: back ends (9009: where nobody is), the server itself, the broker. */
const SAMPLE_PORT = /\b(900[0-9]|61616)\b/g;

/** How to start a sample. */
export interface SampleSetup {
  /** Which product's back end (stockquote-samples 0). */
  readonly flavour: Flavour;
  /** The HTTP ports that back ends listen on, as the sample says them; 9000 by default. */
  readonly backEnds?: readonly number[];
  /** The HTTPS port of the back end on 9000, as the sample says it. */
  readonly https?: number;
  /** Lines of a deployment.toml. */
  readonly toml?: string;
  /** Further artifacts of our own, file name -> XML. */
  readonly more?: Readonly<Record<string, string>>;
  /** Ports of other servers, as the sample says them -> as they are. */
  readonly ports?: Readonly<Record<number, number>>;
}

/** A back end and what can be seen of it from outside. */
export interface BackEnd {
  readonly service: StockQuoteService;
  /** Console lines without their dates. */
  readonly lines: string[];
  /** Console lines as they are. */
  readonly printed: string[];
  readonly requests: HttpRequest[];
}

/** What a run of the client printed, and why it failed if it did. */
export interface ClientRun {
  readonly lines: readonly string[];
  /** `org.apache.axis2.AxisFault: REASON`, as the client says it; undefined: all went well. */
  readonly failure: string | undefined;
  readonly status: number | undefined;
}

/** The definitions file of a sample, by its name in the corpus without `synapse_sample_` and `.xml`. */
export function definitions(name: string): string {
  return `definitions/synapse_sample_${name}.xml`;
}

/**
 * Tests of one numbered sample with one of its files; left out where the corpus is not at hand.
 * @param file below the folder of the corpus
 */
export function sample(title: string, file: string, tests: (file: string) => void): void {
  describe.skipIf(!existsSync(CORPUS + file))(`${title} (${file})`, () => tests(file));
}

/** Text of a file of the corpus. */
export function corpusText(file: string): string {
  return readFileSync(CORPUS + file, 'utf8');
}

/** A sample at work. */
export class RunningSample {
  readonly server: InProcess;
  readonly #backEnds: ReadonlyMap<number, BackEnd>;
  readonly #ports: ReadonlyMap<number, number>;
  readonly #home: Home;

  constructor(
    server: InProcess,
    backEnds: ReadonlyMap<number, BackEnd>,
    ports: ReadonlyMap<number, number>,
    home: Home,
  ) {
    this.server = server;
    this.#backEnds = backEnds;
    this.#ports = ports;
    this.#home = home;
  }

  /** Writes a resource anew, as someone who edits it does. */
  edit(resource: string, change: (text: string) => string): void {
    this.#home.edit(resource, change);
  }

  /** The back end that listens where the sample says `port`. */
  backEnd(port = 9000): BackEnd {
    const found = this.#backEnds.get(port);
    if (!found) throw new Error(`The sample was started without a back end on ${port}`);
    return found;
  }

  /** The log's lines about messages, without their levels and the proxy's name. */
  logged(pattern: RegExp): string[] {
    const lines = this.server.lines().map((line) => line.replace(/^\w+ (\{[^}]*\} )?/, ''));
    return lines.filter((line) => pattern.test(line));
  }

  /** What stands for a port of the sample. */
  port(port: number): number {
    return this.#ports.get(port) ?? port;
  }

  /** The address of SimpleStockQuoteService, as clients know it. */
  get stockQuote(): string {
    return `http://localhost:${this.port(9000)}/services/SimpleStockQuoteService`;
  }

  /** `sq -Dtrpurl=ESB/…`. */
  trp(path = '/'): string {
    return this.server.url(path);
  }

  /** `ant stockquote`. */
  async stockquote(options: StockQuoteOptions): Promise<ClientRun> {
    return printed(async (print) => {
      const { lines, status } = await sendStockQuote({ timeoutMs: 15_000, callbackPort: 0, ...options });
      for (const line of lines) print(line);
      return status;
    });
  }

  /** `ant stockquote -Daddurl=SQS -Dtrpurl=ESB`: what most samples are tried with. */
  smart(options: StockQuoteOptions = {}): Promise<ClientRun> {
    return this.stockquote({ addurl: this.stockQuote, trpurl: this.trp(), ...options });
  }

  /** `ant loadbalancefailover -Di=…`. */
  async loadbalancefailover(
    requests: number,
    { mode = 'simple', path }: { mode?: 'simple' | 'session'; path?: string } = {},
  ): Promise<ClientRun> {
    return printed(async (print) => {
      await runLoadBalanceClient({
        mode,
        url: new URL(this.trp(path ?? '/services/LBService1')),
        to: path === undefined ? this.trp('/services/LBService1') : undefined,
        requests,
        sleepMs: 0,
        httpSession: false,
        connection: { timeoutMs: 15_000 },
        print,
      });
      return undefined;
    });
  }

  async stop(): Promise<void> {
    await this.server.stop();
    await Promise.all([...this.#backEnds.values()].map(({ service }) => service.close()));
    this.#home.leave();
  }
}

/** The folder that the products are started in, with the resources of the samples in it; the working directory until it is left. */
class Home {
  readonly #path = mkdtempSync(join(tmpdir(), 'mini-synapse-sample-'));
  readonly #before = process.cwd();

  constructor(ports: ReadonlyMap<number, number>, wsdl: string | undefined) {
    for (const folder of RESOURCE_FOLDERS) {
      const target = join(this.#path, folder);
      cpSync(RESOURCES, target, { recursive: true });
      for (const name of readdirSync(target, { recursive: true, encoding: 'utf8' })) {
        const file = join(target, name);
        // Scripts with XML in them are no JavaScript to the linter.
        const installed = file.replace(/\.js\.txt$/, '.js');
        if (statSync(file).isFile()) writeFileSync(installed, remap(readFileSync(file, 'utf8'), ports));
      }
      mkdirSync(join(target, 'proxy'));
      if (wsdl !== undefined) {
        for (const name of ['sample_proxy_1.wsdl', 'sample_proxy_2.wsdl'])
          writeFileSync(join(target, 'proxy', name), wsdl);
      }
    }
    process.chdir(this.#path);
  }

  edit(resource: string, change: (text: string) => string): void {
    for (const folder of RESOURCE_FOLDERS) {
      const file = join(this.#path, folder, resource);
      writeFileSync(file, change(readFileSync(file, 'utf8')));
    }
  }

  /** The line of the configuration that makes the server trust the back end. */
  trusting(backEnd: BackEnd | undefined): string {
    const { certificate } = backEnd?.service ?? {};
    if (certificate === undefined) return '';
    const file = join(this.#path, 'trusted.pem');
    writeFileSync(file, certificate);
    return `trusted_certificates = ${JSON.stringify(file)}`;
  }

  leave(): void {
    process.chdir(this.#before);
    rmSync(this.#path, { recursive: true, force: true });
  }
}

/** What the samples publish and read addresses from is the description that the back end gives of itself (stockquote-samples 1.11). */
async function wsdlOf(backEnd: BackEnd | undefined): Promise<string | undefined> {
  if (!backEnd) return undefined;
  const { text } = await call(`http://localhost:${backEnd.service.httpPort}/services/SimpleStockQuoteService?wsdl`);
  return text;
}

async function printed(run: (print: (line: string) => void) => Promise<number | undefined>): Promise<ClientRun> {
  const lines: string[] = [];
  try {
    const status = await run((line) => lines.push(line));
    return { lines, failure: undefined, status };
  } catch (error) {
    if (!(error instanceof CallFailure)) throw error;
    const kind = error.kind === 'unexpected' ? 'java.lang.Exception' : 'org.apache.axis2.AxisFault';
    return { lines, failure: `${kind}: ${error.message}`, status: error.status };
  }
}

/** Starts back ends and server with artifacts of these files. */
export async function runSample(files: string | readonly string[], setup: SampleSetup): Promise<RunningSample> {
  const texts = [files].flat().map((file, index) => [`sample-${index}`, corpusText(file)] as const);
  return runArtifacts(Object.fromEntries(texts), setup);
}

/** Starts back ends and server with artifacts of our own: file name -> XML. */
export async function runArtifacts(
  artifacts: Readonly<Record<string, string>>,
  setup: SampleSetup,
): Promise<RunningSample> {
  const backEnds = new Map<number, BackEnd>();
  for (const port of setup.backEnds ?? [9000]) backEnds.set(port, await startBackEnd(port, setup));
  const ports = await portsFor(backEnds, setup);
  const remapped = Object.entries({ ...artifacts, ...setup.more }).map(([name, xml]) => [name, remap(xml, ports)]);
  const home = new Home(ports, await wsdlOf(backEnds.get(9000)));
  const toml = `[mini_synapse]\nshutdown_ms = 4000\n${home.trusting(backEnds.get(9000))}\n${setup.toml ?? ''}`;
  const server = await serve(Object.fromEntries(remapped), toml);
  return new RunningSample(server, backEnds, ports, home);
}

/** Starts a back end as MyServer1, 2, … on the ports 9001, 9002, …, its ports any free ones unless told otherwise. */
export async function startBackEnd(port: number, { flavour, https }: SampleSetup, httpPort = 0): Promise<BackEnd> {
  const lines: string[] = [];
  const printed: string[] = [];
  const requests: HttpRequest[] = [];
  const service = await startStockQuoteService({
    httpPort,
    ...(port === 9000 && https !== undefined && { httpsPort: 0 }),
    ...(port !== 9000 && { name: `MyServer${port - 9000}` }),
    flavour,
    print(line) {
      printed.push(line);
      lines.push(line.replace(/^.*?(?=samples\.|\w+StockQuoteService)/, '').replace(/\s+::/, ' ::'));
    },
    onRequest: (request) => requests.push(request),
  });
  return { service, lines, printed, requests };
}

async function portsFor(
  backEnds: ReadonlyMap<number, BackEnd>,
  { https, ports: others = {} }: SampleSetup,
): Promise<Map<number, number>> {
  const ports = new Map<number, number>();
  const closed = await freePorts(10);
  for (const [index, free] of closed.entries()) ports.set(9000 + index, free);
  for (const [port, { service }] of backEnds) ports.set(port, service.httpPort);
  const securePort = backEnds.get(9000)?.service.httpsPort;
  if (https !== undefined && securePort !== undefined) ports.set(https, securePort);
  for (const [port, real] of Object.entries(others)) ports.set(Number(port), real);
  return ports;
}

function remap(xml: string, ports: ReadonlyMap<number, number>): string {
  return xml.replace(SAMPLE_PORT, (port) => String(ports.get(Number(port)) ?? port));
}
