import { writeFileSync } from 'node:fs';
import { registerHooks } from 'node:module';

/* Preloaded into a process under test (`--import`): writes down at its end which packages it has loaded, where LOADED_PACKAGES says. */

const names = new Set<string>();
registerHooks({
  load(url, context, next) {
    const [, name] = /^\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url.slice(url.lastIndexOf('/node_modules/'))) ?? [];
    if (name !== undefined) names.add(name);
    return next(url, context);
  },
});
process.on('exit', () => {
  if (process.env.LOADED_PACKAGES) writeFileSync(process.env.LOADED_PACKAGES, [...names].join('\n'));
});
