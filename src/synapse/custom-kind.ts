import { ExtensionError } from '../extensions/containment.ts';
import type { LoadedModule, ModuleAnswer } from '../extensions/loaded-module.ts';
import type { ConfigElement } from '../grammar/element.ts';
import type { ParameterTypes, WrittenParameter } from '../grammar/parameters.ts';
import type { ArtifactReader } from '../grammar/reader.ts';

/** The kind that a mapped module is; what is wrong with the module is told at the `class` attribute. Undefined after an error. */
export function customKind<K>(
  element: ConfigElement,
  mapped: ModuleAnswer,
  reader: ArtifactReader,
  kindOf: (module: LoadedModule | undefined) => K,
): K | undefined {
  try {
    if ('error' in mapped) throw new ExtensionError(mapped.error);
    return kindOf('module' in mapped ? mapped.module : undefined);
  } catch (error) {
    if (!(error instanceof ExtensionError)) throw error;
    const className = element.attribute('class');
    reader.error(element, `Error while instantiating class '${className}': ${error.message}`, { attribute: 'class' });
    return undefined;
  }
}

/** The parameters that a kind declares; a custom one has others, too, which are its module's business. */
export function ownParameters(
  kind: { readonly classes: readonly string[]; readonly parameters: ParameterTypes },
  written: ReadonlyMap<string, WrittenParameter>,
): ReadonlyMap<string, WrittenParameter> {
  if (kind.classes.length > 0) return written;
  return new Map([...written].filter(([name]) => Object.hasOwn(kind.parameters, name)));
}
