import type { Diagnostic } from '../../grammar/diagnostic.ts';

/** A kind of problem, as tools that show results of `check` list and filter them. Ids stay what they are. */
export interface Rule {
  /** For example `unknown-mediator`. */
  readonly id: string;
  /** One sentence. */
  readonly title: string;
  /** What to do about it. */
  readonly help: string;
  /** Whose message fits belongs to it; the first rule wins. */
  readonly messages: RegExp;
}

const SEE_DOCS = 'The message says what is expected there.';

/** From the particular to the general; the last one fits everything. */
export const RULES: readonly Rule[] = [
  {
    id: 'not-xml',
    title: 'The file is not well-formed XML, or is too large or too deep to be read.',
    help: 'Close every element, quote every attribute, declare every prefix, and write & as &amp;.',
    messages: /well-formed|DOCTYPE|encoding|is too (?:large|deep|long)|cannot be decoded/i,
  },
  {
    id: 'not-supported',
    title: 'Something of the reference that is refused here on purpose.',
    help: 'The message says what to use instead; the README lists all refusals.',
    messages:
      /not supported|need a Java virtual machine|Java classes are not run|No script engine found|Class not found|Cannot load the (?:task|inbound endpoint) class/,
  },
  {
    id: 'unknown-mediator',
    title: 'There is no mediator of that name.',
    help: 'Correct the name; a connector operation needs its connector archive in the artifact folder.',
    messages: /^Unknown mediator/,
  },
  {
    id: 'unknown-artifact',
    title: 'The root element is no artifact.',
    help: 'Use one of proxy, api, sequence, endpoint, template, task, localEntry, messageStore, messageProcessor, inboundEndpoint or definitions.',
    messages: /^Invalid configuration element at the top level/,
  },
  {
    id: 'dangling-reference',
    title: 'An artifact is referred to that is not there.',
    help: 'Deploy it, too, or correct the name; messages that need it fail.',
    messages:
      /there is no (?:sequence|endpoint|message store|message processor|template|local entry|resource|proxy|task|store)|is not deployed|refers to/i,
  },
  {
    id: 'duplicate-name',
    title: 'Two artifacts of one kind have the same name.',
    help: 'Rename or remove one of them.',
    messages: /has a name that is taken|is (?:also )?defined (?:in|twice)|duplicate|already (?:in|defined|exists)/i,
  },
  {
    id: 'missing-resource',
    title: 'A file that an artifact takes its content from cannot be read.',
    help: 'Put the file where the path leads from the artifact folder.',
    messages:
      /^cannot read the source of|ENOENT|Parameter key: .* could not be found|Unable to read configuration value/,
  },
  {
    id: 'missing-value',
    title: 'An attribute, element or parameter that must be there is not.',
    help: SEE_DOCS,
    messages: /is required|is missing|must have a name|without a name|must not be empty|is expected/i,
  },
  {
    id: 'unknown-attribute',
    title: 'An attribute that nothing reads.',
    help: 'Correct or remove it; it is ignored.',
    messages: /^unknown attribute/,
  },
  {
    id: 'unknown-element',
    title: 'An element that nothing reads.',
    help: 'Correct or remove it; it is ignored.',
    messages: /^unknown element/,
  },
  {
    id: 'parameter',
    title: 'A parameter of a store, processor or inbound endpoint is unknown or has a wrong value.',
    help: SEE_DOCS,
    messages: /^(?:unknown (?:extension )?parameter|parameter ')/,
  },
  {
    id: 'expression',
    title: 'An expression cannot be read, or will fail.',
    help: 'Declare the prefixes it uses on the element or above it, and use functions that there are.',
    messages: /xpath|expression|the prefix '|there is no function|there is no argument|JSONPath/i,
  },
  {
    id: 'deprecated',
    title: 'Still works, and has a better successor.',
    help: 'Use what the message names.',
    messages: /deprecated/i,
  },
  {
    id: 'no-effect',
    title: 'Accepted, and without effect here.',
    help: 'Nothing has to be done when you can do without it.',
    messages: /not written yet|has no effect|is ignored|are not read|is not run|not delivered|is not spoken|are known/i,
  },
  {
    id: 'wrong-value',
    title: 'A value that is not allowed there.',
    help: SEE_DOCS,
    messages: /is not allowed|is not a valid|is read as|^attribute '|has to be one of|Invalid /i,
  },
  {
    id: 'artifact-error',
    title: 'The artifact cannot be deployed as it is.',
    help: SEE_DOCS,
    messages: /^/,
  },
];

/** Where a diagnostic belongs. */
export function ruleOf({ message }: Pick<Diagnostic, 'message'>): Rule {
  const found = RULES.find(({ messages }) => messages.test(message));
  if (!found) throw new Error('The last rule fits everything');
  return found;
}
