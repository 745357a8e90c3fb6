import type { ConfigElement } from '../grammar/element.ts';
import type { ArtifactReader } from '../grammar/reader.ts';

/** The providers of the reference: what they do is done here anyway. */
const PROVIDERS: readonly string[] = [
  'org.wso2.carbon.mediation.ntask.NTaskTaskManager',
  'org.wso2.micro.integrator.mediation.ntask.NTaskTaskManager',
  'org.apache.synapse.startup.quartz.QuartzTaskManager',
  'org.apache.synapse.task.impl.StandaloneTaskManager',
];

/** Checks a `<taskManager provider="class"/>`: tasks are run by the server itself, whatever it says. */
export function readTaskManager(element: ConfigElement, reader: ArtifactReader): void {
  reader.warnUnknownAttributes(element, ['provider', 'description']);
  const provider = element.attribute('provider');
  if (provider === undefined || PROVIDERS.includes(provider)) return;
  reader.warning(element, `the task manager '${provider}' is not used: tasks are run by the server itself`, {
    attribute: 'provider',
  });
}
