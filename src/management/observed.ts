import type { Observation } from '../observation/observation.ts';
import type { ManagedServer } from './managed-server.ts';
import { ManagementError } from './management-error.ts';

/** The observation of a server. @throws ManagementError 503 where nothing is observed */
export function observed({ observation }: Pick<ManagedServer, 'observation'>): Observation {
  if (!observation) throw new ManagementError(503, 'Nothing is observed on this server');
  return observation;
}
