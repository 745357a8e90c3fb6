/** @typedef {[kind: string, text: string]} Token kind: '' for plain text */

const XML =
  /(<!--[\s\S]*?(?:-->|$)|<!\[CDATA\[[\s\S]*?(?:\]\]>|$)|<\?[\s\S]*?(?:\?>|$))|(<\/?)([\w:.-]+)((?:[^>"']|"[^"]*"|'[^']*')*)(>?)/g;
const ATTRIBUTE = /([\w:.-]+)(\s*=\s*)("[^"]*"?|'[^']*'?)/g;
const JSON_PARTS = /("(?:[^"\\]|\\.)*"?)(\s*:)?|\b(true|false|null)\b|(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)/g;

/** @param {string} text @param {string} language @returns {Token[]} */
export function tokens(text, language) {
  if (language === 'xml') return xmlTokens(text);
  if (language === 'json') return jsonTokens(text);
  return [['', text]];
}

function xmlTokens(text) {
  return walk(text, XML, ([whole, other, open, name, attributes, close]) =>
    other ? [['comment', whole]] : [['punct', open], ['tag', name], ...attributeTokens(attributes), ['punct', close]],
  );
}

function attributeTokens(text) {
  return walk(text, ATTRIBUTE, ([, name, equals, value]) => [
    ['attr', name],
    ['punct', equals],
    ['string', value],
  ]);
}

function jsonTokens(text) {
  return walk(text, JSON_PARTS, ([, string, colon, word, digits]) => {
    if (string)
      return colon
        ? [
            ['attr', string],
            ['punct', colon],
          ]
        : [['string', string]];
    return word ? [['word', word]] : [['number', digits]];
  });
}

/** What lies between matches is plain. */
function walk(text, pattern, tokensOf) {
  const found = [];
  let end = 0;
  for (const match of text.matchAll(pattern)) {
    if (match.index > end) found.push(['', text.slice(end, match.index)]);
    found.push(...tokensOf(match));
    end = match.index + match[0].length;
  }
  if (end < text.length) found.push(['', text.slice(end)]);
  return found;
}
