import type { AttributeType, Word } from './element-type.ts';

/** Text as it may stand in XML. */
export function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

/** What editors show; nothing for no text. */
export function documentationXml(doc: string, indent: string): string {
  if (doc === '') return '';
  return `${indent}<xs:annotation><xs:documentation>${escaped(doc)}</xs:documentation></xs:annotation>\n`;
}

/** @param children element declarations, or a word of {@link ElementType.children} */
export function contentXml(children: 'mediators' | 'any' | 'text' | readonly string[]): string {
  // Mediators that are declared are checked; free XML is the user's own, even where its names are those of mediators.
  if (children === 'mediators') return sequenceOf('<xs:any namespace="##any" processContents="lax"/>');
  if (children === 'any') return sequenceOf('<xs:any namespace="##any" processContents="skip"/>');
  if (children === 'text') return sequenceOf('<xs:any namespace="##other" processContents="skip"/>');
  const among = '<xs:any namespace="##other" processContents="skip"/>';
  const lines = [...children, among].map((child) => `      ${child}\n`).join('');
  return `    <xs:choice minOccurs="0" maxOccurs="unbounded">\n${lines}    </xs:choice>\n`;
}

function sequenceOf(particle: string): string {
  const repeated = particle.replace('/>', ' minOccurs="0" maxOccurs="unbounded"/>');
  return `    <xs:sequence>${repeated}</xs:sequence>\n`;
}

/** @param written its name, with `!` when it must be there */
export function attributeXml(written: string, type: AttributeType): string {
  const name = written.replace(/!$/, '');
  const use = written.endsWith('!') ? ' use="required"' : '';
  const { doc, words = [], open = false } = typeof type === 'string' ? { doc: type } : type;
  const documentation = documentationXml(doc, '      ');
  if (words.length === 0) {
    return `    <xs:attribute name="${escaped(name)}" type="xs:string"${use}>\n${documentation}    </xs:attribute>\n`;
  }
  return `    <xs:attribute name="${escaped(name)}"${use}>\n${documentation}${wordsXml(words, open)}    </xs:attribute>\n`;
}

function wordsXml(words: readonly Word[], open: boolean): string {
  const enumeration = `<xs:simpleType><xs:restriction base="xs:string">${words.map(wordXml).join('')}</xs:restriction></xs:simpleType>`;
  if (!open) return `      ${enumeration}\n`;
  // Editors propose the words; every other text is as good.
  return `      <xs:simpleType><xs:union memberTypes="xs:string">${enumeration}</xs:union></xs:simpleType>\n`;
}

function wordXml(word: Word): string {
  if (typeof word === 'string') return `<xs:enumeration value="${escaped(word)}"/>`;
  return `<xs:enumeration value="${escaped(word.value)}">${documentationXml(word.doc, '').trimEnd()}</xs:enumeration>`;
}
