import type { Page } from 'playwright-core';
import { endpointOf, forwarderOf, KINDS, type Kind, proxyOf, storeOf } from './numbers-artifacts.ts';
import type { Range, Truth } from './numbers-truth.ts';
import { column, edgeCount, numberOf, spanOf } from './shown-numbers.ts';

/** As old as a number may be (OP-43). */
export const FRESH_MS = 2_000;

/* What the management API tells, as far as it is compared. */
export interface Overview {
  readonly stores: ReadonlyArray<{
    readonly name: string;
    readonly depth: number | null;
    readonly enqueued: number;
    readonly dequeued: number;
    readonly oldestAgeMs: number | null;
    readonly inPerSecond: number;
    readonly outPerSecond: number;
  }>;
  readonly processors: ReadonlyArray<{
    readonly name: string;
    readonly counters: Readonly<Record<string, number>>;
    readonly successPerSecond: number;
    readonly latencyMs: { readonly p50: number } | null;
  }>;
  readonly traffic: { readonly requestsPerSecond: number };
}
export interface Listed {
  readonly list: ReadonlyArray<{ readonly name: string; readonly requests: number; readonly errors: number }>;
}
export interface Graph {
  readonly edges: ReadonlyArray<{ readonly from: string; readonly to: string; readonly count: number }>;
}

/** What the API and the console say, against what brokers, databases, back ends and clients say. */
export class Comparison {
  readonly problems: string[] = [];
  /** Of each sort of number, how often it was compared. */
  readonly compared = new Map<string, number>();
  readonly #truth: Truth;
  readonly #page: Page;
  readonly #read: <T>(path: string) => Promise<T>;
  readonly #firstStored: ReadonlyMap<Kind, Range>;

  /** @param parts.firstStored when the first message of each kind was sent, and was stored, on the monotonic clock */
  constructor(parts: {
    readonly truth: Truth;
    readonly page: Page;
    readonly read: <T>(path: string) => Promise<T>;
    readonly firstStored: ReadonlyMap<Kind, Range>;
  }) {
    this.#truth = parts.truth;
    this.#page = parts.page;
    this.#read = parts.read;
    this.#firstStored = parts.firstStored;
  }

  /** @param what its sort, then `of`, `to` or `by` what */
  compare(what: string, shown: number | null | undefined, { least, most }: Range): void {
    const sort = what.replace(/ (?:of|to|by) .*/, '');
    this.compared.set(sort, (this.compared.get(sort) ?? 0) + 1);
    if (typeof shown === 'number' && shown >= least && shown <= most) return;
    this.problems.push(`${what}: ${shown} is shown, and in the last two seconds it was ${least} to ${most}`);
  }

  /** What the API says now, against what it may say. */
  async overview(): Promise<void> {
    const from = performance.now();
    const [{ stores, processors, traffic }, proxies, endpoints] = await Promise.all([
      this.#read<Overview>('/management/overview'),
      this.#read<Listed>('/management/proxy-services'),
      this.#read<Listed>('/management/endpoints'),
    ]);
    const to = performance.now();
    await this.#truth.askedAgain();
    for (const kind of KINDS) {
      const store = stores.find(({ name }) => name === storeOf(kind));
      const processor = processors.find(({ name }) => name === forwarderOf(kind));
      const counters = processor?.counters;
      const count = (least: Parameters<Truth['count']>[1]) => this.#truth.count(kind, least, from, to);
      this.compare(`depth of ${kind}`, store?.depth, this.#truth.depth(kind, from, to));
      this.compare(`puts of ${kind}`, store?.enqueued, count({ least: 'accepted', most: 'sent' }));
      this.compare(`deliveries of ${kind}`, counters?.delivered, count({ least: 'delivered' }));
      this.compare(`failures of ${kind}`, counters?.failed, count({ least: 'refused' }));
      const perSecond = (what: string, shown: number | undefined, key: 'accepted' | 'delivered') => {
        const range = this.#truth.rate((counts) => counts[kind][key], from, to);
        if (range) this.compare(`${what} of ${kind}`, shown, range);
      };
      perSecond('puts per second', store?.inPerSecond, 'accepted');
      perSecond('deliveries per second', processor?.successPerSecond, 'delivered');
      const latency = this.#truth.latency(kind);
      if (latency) this.compare(`median latency of ${kind}`, processor?.latencyMs?.p50, latency);
      const named = ({ list }: Listed, name: string) => list.find((one) => one.name === name);
      this.compare(
        `requests to ${kind}`,
        named(proxies, proxyOf(kind))?.requests,
        count({ least: 'accepted', most: 'sent' }),
      );
      this.compare(`sends to ${kind}`, named(endpoints, endpointOf(kind))?.requests, count({ least: 'attempts' }));
      this.compare(`refused by ${kind}`, named(endpoints, endpointOf(kind))?.errors, count({ least: 'refused' }));
    }
    const all = (counts: Readonly<Record<Kind, { readonly accepted: number }>>) =>
      KINDS.reduce((sum, kind) => sum + counts[kind].accepted, 0);
    const requests = this.#truth.rate(all, from, to);
    if (requests) this.compare('requests per second of all', traffic.requestsPerSecond, requests);
  }

  /** How old the first messages are while nobody takes any, ms. */
  async oldest(): Promise<void> {
    const from = performance.now();
    const { stores } = await this.#read<Overview>('/management/overview');
    const shown = await column(this.#page, 'Message stores', 'Oldest');
    const to = performance.now();
    for (const kind of KINDS) {
      const { least, most } = this.#firstStored.get(kind) ?? { least: Number.NaN, most: Number.NaN };
      const range = { least: from - most - FRESH_MS, most: to - least + FRESH_MS };
      this.compare(`oldest of ${kind}`, stores.find(({ name }) => name === storeOf(kind))?.oldestAgeMs, range);
      this.compare(`oldest on the page of ${kind}`, spanOf(shown.get(storeOf(kind))), range);
    }
  }

  /** The labels on the edges of the graph that lead into proxies and endpoints. */
  async edges(): Promise<void> {
    const from = performance.now();
    const drawn = await this.#page.evaluate<Array<[string, string]>>(
      `[...document.querySelectorAll('.edge')].map((edge) => [edge.dataset.to, edge.querySelector('.edge-label')?.textContent ?? ''])`,
    );
    const to = performance.now();
    await this.#truth.askedAgain();
    const into = (node: string) =>
      drawn.filter(([id]) => id === node).reduce((sum, [, label]) => sum + edgeCount(label), 0);
    for (const kind of KINDS) {
      const count = (least: Parameters<Truth['count']>[1]) => this.#truth.count(kind, least, from, to);
      this.compare(`edge to ${kind}`, into(`proxy:${proxyOf(kind)}`), count({ least: 'accepted', most: 'sent' }));
      this.compare(
        `edge into the end point of ${kind}`,
        into(`endpoint:${endpointOf(kind)}`),
        count({ least: 'attempts' }),
      );
    }
  }

  /** A column of a table of the page that is open. */
  async column(
    [caption, title]: readonly [string, string],
    nameOf: (kind: Kind) => string,
    range: (kind: Kind, from: number, to: number) => Range,
  ): Promise<void> {
    const from = performance.now();
    const shown = await column(this.#page, caption, title);
    const to = performance.now();
    await this.#truth.askedAgain();
    for (const kind of KINDS)
      this.compare(`${title} of ${kind} on the page`, numberOf(shown.get(nameOf(kind))), range(kind, from, to));
  }
}
