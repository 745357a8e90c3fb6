import type { Configuration } from '../message/configuration.ts';
import { findEntry } from '../message/entry.ts';
import { parseXml, type XmlElement, XmlSyntaxError } from '../xml/index.ts';
import { isPolicy } from './assertions.ts';
import { KeyStores } from './key-stores.ts';
import { type MessageKeys, NO_KEYS } from './message-keys.ts';
import { openEnvelope, signatureKey } from './open-message.ts';
import { NO_FACTS, type Opening, type RequestFacts, type Sender } from './opening.ts';
import { demandsSecurity, type SecurityPolicy } from './policy.ts';
import { readPolicy } from './read-policy.ts';
import { ReplayCache } from './replay-cache.ts';
import { resolveKeys } from './resolve-keys.ts';
import { secureEnvelope } from './secure-message.ts';
import { SecuritySetupError } from './security-failure.ts';
import type { SecuritySettings } from './settings.ts';
import type { User, Users } from './users.ts';

/** More policies than this are not remembered as read. */
const MAX_POLICIES = 256;
/** How long keys are taken for what the key stores hold, ms. */
const KEYS_FOR_MS = 10_000;
const SECRET = /^\$secret\{([^{}]+)\}$/;

/** A policy with its keys at hand: from here on nothing waits. */
export interface ReadyPolicy {
  readonly policy: SecurityPolicy;
  readonly keys: MessageKeys;
}

/** Secures and opens messages by policies that artifacts name. Everything that costs anything is loaded with it. */
export class SecurityEngine {
  readonly #settings: SecuritySettings;
  readonly #lookup: (alias: string) => string | undefined;
  readonly #stores: KeyStores;
  readonly #clock: () => number;
  readonly #replay = new ReplayCache();
  readonly #users: Users;
  /** By the text of the policy. */
  readonly #policies = new Map<string, SecurityPolicy | SecuritySetupError>();
  readonly #keys = new WeakMap<SecurityPolicy, { readonly keys: MessageKeys; readonly until: number }>();

  /**
   * @param options.lookup the secret of an alias
   * @param options.directories where key stores of policies are looked for
   * @param options.clock epoch ms; the wall clock by default
   */
  constructor(options: {
    readonly settings: SecuritySettings;
    readonly lookup: (alias: string) => string | undefined;
    readonly directories: readonly string[];
    readonly clock?: () => number;
  }) {
    this.#clock = options.clock ?? Date.now;
    this.#settings = options.settings;
    this.#lookup = options.lookup;
    this.#stores = new KeyStores(options.directories);
    this.#users = { find: (name) => this.#user(name) };
  }

  /**
   * The policy of a key, with its keys.
   * @throws SecuritySetupError when it is not there, cannot be fulfilled, or its keys cannot be read
   */
  async prepare(configuration: Configuration, key: string): Promise<ReadyPolicy> {
    const entry = findEntry(configuration, key);
    if (!entry) throw new SecuritySetupError(`the security policy '${key}' is not deployed`);
    const policy = this.#policy(entry.text, key);
    const needsKeys = policy.binding !== undefined && policy.binding.kind !== 'transport';
    return { policy, keys: needsKeys ? await this.#keysOf(policy) : NO_KEYS };
  }

  async #keysOf(policy: SecurityPolicy): Promise<MessageKeys> {
    const known = this.#keys.get(policy);
    if (known && performance.now() < known.until) return known.keys;
    const secret = (written: string) => this.#secret(written);
    const sources = { settings: this.#settings, stores: this.#stores, users: this.#users, secret };
    const keys = await resolveKeys(policy, sources);
    this.#keys.set(policy, { keys, until: performance.now() + KEYS_FOR_MS });
    return keys;
  }

  /**
   * Secures an envelope in place.
   * @throws SecuritySetupError
   */
  secure({ policy, keys }: ReadyPolicy, envelope: XmlElement, sender: Sender, request?: RequestFacts): RequestFacts {
    const now = this.#clock();
    if (!demandsSecurity(policy)) return NO_FACTS;
    const facts = secureEnvelope(envelope, {
      policy,
      keys,
      sender,
      users: this.#users,
      now,
      ...(request && { request }),
    });
    // What this side has signed must not come back as if the other side had.
    const other = sender === 'initiator' ? 'recipient' : 'initiator';
    const expires = now + policy.rampart.lifetimeMs + policy.rampart.skewMs;
    for (const value of facts.signatureValues)
      this.#replay.remember(signatureKey(other, value), { created: now, expires }, now);
    return facts;
  }

  /**
   * Checks and decrypts an envelope in place.
   * @throws SecurityFailure, SecuritySetupError
   */
  open(
    { policy, keys }: ReadyPolicy,
    envelope: XmlElement,
    options: Pick<Opening, 'sender' | 'secureTransport' | 'request'>,
  ): RequestFacts {
    return openEnvelope(envelope, {
      policy,
      keys,
      users: this.#users,
      replay: this.#replay,
      now: this.#clock(),
      ...options,
    });
  }

  #policy(text: string, key: string): SecurityPolicy {
    let known = this.#policies.get(text);
    if (!known) {
      known = policyOf(text, key);
      if (this.#policies.size >= MAX_POLICIES) this.#policies.clear();
      this.#policies.set(text, known);
    }
    if (known instanceof SecuritySetupError) throw known;
    return known;
  }

  #user(name: string): User | undefined {
    const user = this.#settings.users.get(name);
    return user && { password: this.#secret(user.password), roles: user.roles };
  }

  #secret(written: string): string {
    const [, alias] = SECRET.exec(written) ?? [];
    if (alias === undefined) return written;
    const secret = this.#lookup(alias);
    if (secret !== undefined) return secret;
    throw new SecuritySetupError(`the secret '${alias}' that deployment.toml refers to is not known`);
  }
}

function policyOf(text: string, key: string): SecurityPolicy | SecuritySetupError {
  let root: XmlElement | null;
  try {
    root = parseXml(text).documentElement;
  } catch (error) {
    if (!(error instanceof XmlSyntaxError)) throw error;
    return new SecuritySetupError(`the security policy '${key}' is not XML: ${error.message}`, { cause: error });
  }
  if (!root || !isPolicy(root)) return new SecuritySetupError(`'${key}' is no policy: its root is no <wsp:Policy>`);
  const { policy, problems } = readPolicy(root);
  if (problems.length === 0) return policy;
  const told = problems.map(({ element, message }) => `line ${element.lineNumber}: ${message}`).join('; ');
  return new SecuritySetupError(`the security policy '${key}' cannot be fulfilled: ${told}`);
}
