import { type TypeOptions, valueType } from '../grammar/attributes.ts';

/*
 * The reference reads its boolean attributes in several ways (spec mediators 2.2). The way that most of them are read in is
 * `javaBoolean` of the grammar; these are the others. A word that is neither true nor false is always warned about (MREQ-5).
 */

/** `true`, `yes` and `1` in any letter case are true, everything else is false. */
export function explicitBoolean<const O extends TypeOptions<boolean>>(options: O) {
  return boolean(options, (word) => ['true', 'yes', '1'].includes(word.toLowerCase()));
}

/** Only the exact word `true` is true. */
export function exactTrue<const O extends TypeOptions<boolean>>(options: O) {
  return boolean(options, (word) => word === 'true');
}

function boolean<const O extends TypeOptions<boolean>>(options: O, isTrue: (word: string) => boolean) {
  return valueType<boolean, O>(
    'true or false',
    (text, { element, name, reader }) => {
      const value = isTrue(text);
      if (text !== 'true' && text !== 'false') {
        reader.warning(element, `'${text}' is read as ${value} for '${name}'`, {
          attribute: name,
          expected: 'true or false',
        });
      }
      return value;
    },
    options,
  );
}
