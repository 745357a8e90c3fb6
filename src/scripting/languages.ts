/** How a script is read: whether XML is an object (Rhino) or text wherever the script does not show which one it expects. */
export interface ScriptLanguage {
  readonly xmlObjects: boolean;
  /** Results of functions may go to the payload or a variable. */
  readonly hasTarget: boolean;
}

/** All names that the reference's JavaScript engines go by (spec mediators 3.17). */
const LANGUAGES: Readonly<Record<string, ScriptLanguage>> = {
  js: { xmlObjects: false, hasTarget: true },
  javascript: { xmlObjects: false, hasTarget: true },
  ecmascript: { xmlObjects: false, hasTarget: true },
  graaljs: { xmlObjects: false, hasTarget: true },
  'graal.js': { xmlObjects: false, hasTarget: true },
  nashornjs: { xmlObjects: false, hasTarget: false },
  nashorn: { xmlObjects: false, hasTarget: false },
  rhinojs: { xmlObjects: true, hasTarget: false },
  rhino: { xmlObjects: true, hasTarget: false },
};

/** Languages of the reference that need a Java virtual machine. */
const OF_THE_JVM: Readonly<Record<string, string>> = {
  groovy: 'Groovy',
  rb: 'Ruby',
  ruby: 'Ruby',
  jruby: 'Ruby',
  py: 'Python',
  python: 'Python',
  jython: 'Python',
};

export function scriptLanguage(name: string): ScriptLanguage | undefined {
  const known = name.toLowerCase();
  return Object.hasOwn(LANGUAGES, known) ? LANGUAGES[known] : undefined;
}

/** The name of a language that exists in the reference and not here. */
export function languageOfTheJvm(name: string): string | undefined {
  const known = name.toLowerCase();
  return Object.hasOwn(OF_THE_JVM, known) ? OF_THE_JVM[known] : undefined;
}
