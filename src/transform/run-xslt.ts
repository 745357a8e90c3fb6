import { JobError, type Runner } from '../isolation/jobs.ts';
import { LibXslt, STYLESHEET_URL, type XmlDocument, type XsltStylesheet } from './libxslt.ts';
import { NOT_COMPILED, type XsltJob, type XsltResult } from './xslt-job.ts';
import { readStylesheet } from './xslt-source.ts';

/** Compiled stylesheets that are kept; the one that was not used for longest makes room and is disposed of. */
const MAX_KEPT = 16;
const MAX_SAID = 2_000;
/** The library says this of every stylesheet of version 2.0 and goes on: the version says that it may. */
const VERSION_NOTE =
  /compilation error: file \S+ line \d+ element (?:stylesheet|transform)\n?xsl:version: only 1\.\d features are supported\n?/g;

interface Compiled {
  readonly stylesheet: XsltStylesheet;
  readonly resources: Readonly<Record<string, string>>;
  readonly isText: boolean;
}

/** Runs stylesheets, in an isolated thread. */
export async function xsltRunner(): Promise<Runner<'xslt'>> {
  const library = await LibXslt.load();
  const kept = new Map<string, Compiled>();
  return {
    run: (job) => run(library, kept, job),
    spent: () => library.spent,
  };
}

async function run(library: LibXslt, kept: Map<string, Compiled>, job: XsltJob): Promise<XsltResult> {
  const key = JSON.stringify([job.stylesheet, job.resources]);
  const compiled = kept.get(key) ?? (await compile(library, job));
  library.begin(compiled.resources);
  kept.delete(key);
  if (job.cache) kept.set(key, compiled);
  try {
    return await apply(library, compiled, job);
  } finally {
    if (!job.cache) compiled.stylesheet.delete();
    makeRoom(kept);
  }
}

function makeRoom(kept: Map<string, Compiled>): void {
  const [oldest] = kept;
  if (kept.size <= MAX_KEPT || !oldest) return;
  kept.delete(oldest[0]);
  oldest[1].stylesheet.delete();
}

async function compile(library: LibXslt, job: XsltJob): Promise<Compiled> {
  const { text, resources, isText } = readStylesheet(job.stylesheet, job.resources);
  library.begin(resources);
  const document = await library.XmlDocument.fromString(text, { url: STYLESHEET_URL });
  try {
    return { stylesheet: await library.XsltStylesheet.fromXmlDocument(document), resources, isText };
  } catch (cause) {
    if (cause instanceof Error && cause.message === 'Invalid XSLT stylesheet') {
      throw new JobError(`${NOT_COMPILED}: ${reason(library, cause)}`, { cause });
    }
    throw cause;
  }
}

async function apply(library: LibXslt, { stylesheet, isText }: Compiled, job: XsltJob): Promise<XsltResult> {
  const source = await library.XmlDocument.fromString(job.source);
  let result: XmlDocument | undefined;
  try {
    const parameters = Object.entries(job.parameters).map(([name, value]) => [name, literal(value)]);
    result = await stylesheet.apply(source, Object.fromEntries(parameters) as Record<string, string>);
    refuseFetching(library);
    const text = stylesheet.applyToString(result);
    return { text, isText, messages: messages(library) };
  } catch (cause) {
    refuseFetching(library);
    if (cause instanceof Error && cause.message.startsWith('Failed to ')) {
      throw new JobError(reason(library, cause), { cause });
    }
    throw cause;
  } finally {
    result?.delete();
    source.delete();
  }
}

/** What the library only warns about, and goes on with nothing. @throws JobError */
function refuseFetching(library: LibXslt): void {
  const [location] = library.refused;
  const file =
    /^(\S+?):\d+: I\/O error/m.exec(library.said)?.[1] ??
    /I\/O warning : failed to load "?([^"\n]+)/.exec(library.said)?.[1];
  const refused = location ?? file;
  if (refused === undefined) return;
  throw new JobError(`'${refused}' is refused: only what a <resource location="…" key="…"/> names can be read`);
}

/** A text as an XPath literal, which knows no escapes. */
function literal(value: string): string {
  if (!value.includes("'")) return `'${value}'`;
  if (!value.includes('"')) return `"${value}"`;
  return `concat(${value
    .split("'")
    .map((part) => `'${part}'`)
    .join(`, "'", `)})`;
}

function reason(library: LibXslt, cause: Error): string {
  const said = library.said.replaceAll(VERSION_NOTE, '').replaceAll(STYLESHEET_URL, 'the stylesheet').trim();
  return said === '' ? cause.message : said.slice(0, MAX_SAID);
}

function messages(library: LibXslt): string[] {
  const said = library.said.replaceAll(VERSION_NOTE, '').trim();
  return said === '' ? [] : said.slice(0, MAX_SAID).split('\n');
}
