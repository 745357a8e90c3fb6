import { DatabaseSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
import { type Channel, type ChannelModel, connect } from 'amqplib';
import { createConnection, type Connection as MariaDb, type RowDataPacket } from 'mysql2/promise';
import pg from 'pg';
import type { EchoBackEnd } from '../support/echo-back-end.ts';
import type { DatabaseServer } from '../support/servers/database-server.ts';
import { type StompPeek, stompPeek } from '../support/stomp-peek.ts';
import { KINDS, type Kind, mediumOf } from './numbers-artifacts.ts';

/** Bodies with it are refused by the back end. */
export const REFUSED = 'REFUSED';
const SAMPLE_MS = 100;
/** As old as a number may be (OP-43). */
const FRESH_MS = 2_000;
/** Rates are means over about 5 s. */
const LEAST_WINDOW_MS = 4_000;
const MOST_WINDOW_MS = 7_000;
/** Percentiles are right to a bucket. */
const BUCKET = 1.25;
/** Of all deliveries, so many are quicker than those that recent ones are compared with. */
const SLOWER = 0.9;
/** What the back end waits before it answers. */
const ANSWERED_AFTER_MS = 40;

/** What clients and back ends have counted; each number only grows. */
export interface Counts {
  /** Requests that were sent, and those that were answered 202. */
  sent: number;
  accepted: number;
  /** What the back end got, what it took, and what it refused. */
  attempts: number;
  delivered: number;
  refused: number;
}

interface Sample {
  /** On the monotonic clock. */
  readonly at: number;
  readonly depths: Readonly<Record<Kind, number>>;
  readonly counts: Readonly<Record<Kind, Counts>>;
}

/** What a number may be: as it was at some moment of the last two seconds. */
export interface Range {
  readonly least: number;
  readonly most: number;
}

export interface TruthOptions {
  readonly backEnd: EchoBackEnd;
  readonly stompPort: number;
  readonly rabbitPort: number;
  readonly postgresql: DatabaseServer;
  readonly mariadb: DatabaseServer;
  readonly sqliteFile: string;
}

/** What brokers, databases, back ends and clients say of their own, asked over and over. */
export class Truth {
  readonly counts = Object.fromEntries(
    KINDS.map((kind) => [kind, { sent: 0, accepted: 0, attempts: 0, delivered: 0, refused: 0 }]),
  ) as Record<Kind, Counts>;
  readonly #samples: Sample[] = [];
  readonly #peek: StompPeek;
  readonly #rabbit: ChannelModel;
  readonly #channel: Channel;
  readonly #database: pg.Client;
  readonly #mariadb: MariaDb;
  /** When the back end got each message, on the monotonic clock. */
  readonly #arrivals: Record<Kind, number[]>;
  readonly #sqliteFile: string;
  #sqlite: DatabaseSync | undefined;
  #sampling: Promise<void> = Promise.resolve();
  #stopped = false;

  private constructor(parts: {
    peek: StompPeek;
    rabbit: ChannelModel;
    channel: Channel;
    database: pg.Client;
    mariadb: MariaDb;
    options: TruthOptions;
  }) {
    this.#peek = parts.peek;
    this.#rabbit = parts.rabbit;
    this.#channel = parts.channel;
    this.#database = parts.database;
    this.#mariadb = parts.mariadb;
    this.#arrivals = Object.fromEntries(KINDS.map((kind) => [kind, [] as number[]])) as Record<Kind, number[]>;
    this.#sqliteFile = parts.options.sqliteFile;
  }

  static async open(options: TruthOptions): Promise<Truth> {
    const database = new pg.Client(placeOf(options.postgresql));
    const rabbit = await connect(`amqp://guest:guest@127.0.0.1:${options.rabbitPort}`);
    const [peek, channel, mariadb] = await Promise.all([
      stompPeek({ port: options.stompPort }),
      rabbit.createChannel(),
      createConnection(placeOf(options.mariadb)),
      database.connect(),
    ]);
    const truth = new Truth({ peek, rabbit, channel, database, mariadb, options });
    options.backEnd.answer = ({ url, body }) => {
      const kind = url.slice(1) as Kind;
      truth.#arrivals[kind].push(performance.now());
      const counts = truth.counts[kind];
      const refuses = body.includes(REFUSED);
      counts.attempts += 1;
      counts[refuses ? 'refused' : 'delivered'] += 1;
      return { status: refuses ? 503 : 202, body: '', delayMs: ANSWERED_AFTER_MS };
    };
    return truth;
  }

  /** Begins to ask, once the stores have made their queues and tables. */
  start(): void {
    this.#sampling = this.#sample();
  }

  async depths(): Promise<Record<Kind, number>> {
    this.#sqlite ??= new DatabaseSync(this.#sqliteFile, { readOnly: true });
    const count = (kind: Kind) => `SELECT count(*) AS n FROM ${mediumOf(kind)}`;
    const { delivered, refused, accepted } = this.counts.memory;
    const [activemq, rabbitmq, postgresql, mariadb] = await Promise.all([
      this.#peek.count(mediumOf('activemq')),
      this.#channel.checkQueue(mediumOf('rabbitmq')),
      this.#database.query(count('postgresql')),
      this.#mariadb.query<RowDataPacket[]>(count('mariadb')),
    ]);
    return {
      // Nobody else knows; a message is refused twice before it is put aside.
      memory: accepted - delivered - Math.floor(refused / 2),
      activemq,
      rabbitmq: rabbitmq.messageCount,
      postgresql: Number(postgresql.rows[0].n),
      mariadb: Number(mariadb[0][0]?.n),
      sqlite: Number(this.#sqlite.prepare(count('sqlite')).get()?.n),
    };
  }

  /** Resolves when it has asked once more. */
  async askedAgain(): Promise<void> {
    const known = this.#samples.length;
    while (this.#samples.length < known + 2 && !this.#stopped) await delay(10);
  }

  /** What a depth may be that was read between these moments: one in somebody's hands may or may not count. */
  depth(kind: Kind, from: number, to: number): Range {
    const depths = this.#within(from, to).map((sample) => sample.depths[kind]);
    const leap = depths.reduce((most, depth, at) => Math.max(most, Math.abs(depth - (depths[at - 1] ?? depth))), 0);
    return { least: Math.min(...depths) - leap - 2, most: Math.max(...depths) + leap + 2 };
  }

  /** What a count may be that was read between these moments. @param most what it is never ahead of */
  count(
    kind: Kind,
    { least, most = least }: { least: keyof Counts; most?: keyof Counts },
    from: number,
    to: number,
  ): Range {
    const samples = this.#within(from, to);
    const one = 1;
    return {
      least: (samples.at(0)?.counts[kind][least] ?? 0) - one,
      most: (samples.at(-1)?.counts[kind][most] ?? 0) + one,
    };
  }

  /**
   * What a rate per second may be that was read between these moments: the mean of about five seconds that ended not long before.
   * @returns undefined while there are no such seconds yet
   */
  rate(count: (counts: Readonly<Record<Kind, Counts>>) => number, from: number, to: number): Range | undefined {
    const ends = this.#within(from, to);
    const lag = this.#lag(from);
    const rates = ends.flatMap((end) =>
      this.#samples
        .filter(({ at }) => end.at - at >= LEAST_WINDOW_MS - lag && end.at - at <= MOST_WINDOW_MS + lag && end.at > at)
        .map((begin) => ((count(end.counts) - count(begin.counts)) / (end.at - begin.at)) * 1000),
    );
    const [first] = this.#samples;
    if (rates.length === 0 || first === undefined || from - first.at < FRESH_MS + lag + MOST_WINDOW_MS)
      return undefined;
    const inHand = 2_000 / LEAST_WINDOW_MS;
    return { least: Math.min(...rates) - inHand, most: Math.max(...rates) + inHand };
  }

  /**
   * What the median latency of deliveries may be, ms: the back end waits before it answers, and as one is delivered after the other, none
   * has taken longer than until the next one came. The median that is shown is one of recent deliveries, which on a busy machine may all have
   * been slow: it is compared with the slower ones of all.
   */
  latency(kind: Kind): Range | undefined {
    const gaps = this.#arrivals[kind].map((at, index, all) => at - (all[index - 1] ?? at)).slice(1);
    if (gaps.length < 10) return undefined;
    gaps.sort((left, right) => left - right);
    return { least: ANSWERED_AFTER_MS / BUCKET, most: (gaps[Math.floor(gaps.length * SLOWER)] ?? 0) * BUCKET };
  }

  async close(): Promise<void> {
    this.#stopped = true;
    await this.#sampling;
    this.#sqlite?.close();
    await Promise.all([this.#peek.close(), this.#rabbit.close(), this.#database.end(), this.#mariadb.end()]);
  }

  /** On a busy machine everything is late, also what is measured: as late as this was. */
  #within(from: number, to: number): Sample[] {
    const lag = this.#lag(from);
    const first = this.#samples.findLastIndex(({ at }) => at <= from - FRESH_MS - lag);
    const after = this.#samples.findIndex(({ at }) => at > to);
    return this.#samples.slice(Math.max(0, first), after < 0 ? undefined : after + 1);
  }

  #lag(from: number): number {
    const times = this.#samples.map(({ at }) => at).filter((at) => at >= from - 2 * FRESH_MS);
    return times.reduce((most, at, index) => Math.max(most, at - (times[index - 1] ?? at) - SAMPLE_MS), 0);
  }

  async #sample(): Promise<void> {
    while (!this.#stopped) {
      const depths = await this.depths();
      this.#samples.push({ at: performance.now(), depths, counts: structuredClone(this.counts) });
      await delay(SAMPLE_MS);
    }
  }
}

function placeOf({ host, port, database, user, password }: DatabaseServer) {
  return { host, port, database, user, password };
}
