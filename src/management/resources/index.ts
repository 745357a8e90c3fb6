import type { Resource } from '../resource.ts';
import { changeApi, readApis } from './apis.ts';
import { addApplication, readApplications, removeApplication } from './applications.ts';
import { readDiff, readVersions, rollBack } from './artifact-versions.ts';
import {
  deleteArtifact,
  putArtifact,
  readArtifacts,
  readDeployments,
  readSource,
  validateArtifact,
} from './artifacts.ts';
import { readAudit } from './audit.ts';
import { changeConfigs, changeVault, readConfigs } from './configs.ts';
import { readConfigurationSettings } from './configuration.ts';
import { changeConnector, readConnectors } from './connectors.ts';
import { readDataServices, readDataSources } from './data-sources.ts';
import { changeEndpoint, readEndpoints } from './endpoints.ts';
import { readEvents } from './events.ts';
import { readGraph, readGraphMermaid, readGraphSvg } from './graph.ts';
import { healthResources } from './health.ts';
import { changeInboundEndpoint, readInboundEndpoints } from './inbound-endpoints.ts';
import { cancelJob, readJob, readJobs } from './jobs.ts';
import { readLocalEntries } from './local-entries.ts';
import { changeLogging, readLogging } from './logging.ts';
import { closeSession, login, logout, openSession, readSession } from './login.ts';
import { readLogs } from './logs.ts';
import { readLogsTail } from './logs-tail.ts';
import { actOnMessages, deleteMessage, moveMessage, purgeStore, resendMessage } from './message-actions.ts';
import { changeProcessor, readProcessors } from './message-processors.ts';
import { readStores } from './message-stores.ts';
import { exportStore, importStore } from './message-transfer.ts';
import { browseMessages, readFailures, readMessage } from './messages.ts';
import { metricsResources } from './metrics.ts';
import { openApi } from './openapi.ts';
import { readOverview } from './overview.ts';
import { actOnProcessor } from './processor-actions.ts';
import { changeProxy, readProxies } from './proxy-services.ts';
import {
  addContent,
  changeContent,
  readContent,
  readMetadata,
  readProperties,
  readRegistry,
  removeContent,
  removeProperty,
  setProperties,
} from './registry.ts';
import { assignRoles, readRole, readRoles } from './roles.ts';
import { root } from './root.ts';
import { cancelScheduledResend, readScheduledResends, scheduleResend } from './scheduled-resends.ts';
import { changeSequence, readSequences } from './sequences.ts';
import { endServer, readServer } from './server.ts';
import { readSessions, revokeSession } from './sessions.ts';
import { readStoreHistory } from './store-history.ts';
import { changeTask, readTasks } from './tasks.ts';
import { changeTemplate, readTemplates } from './templates.ts';
import { postTestMessage, readTestMessages } from './test-message.ts';
import { changeTracing, forgetTraces, readTrace, readTraces, readTracing } from './traces.ts';
import { addUser, changeUser, readUser, readUsers, removeUser } from './users.ts';
import { readWebHooks, tryWebHook } from './web-hooks.ts';

/** All resources of the management API. Lines are only added here: several subjects share the file. */
export const RESOURCES: readonly Resource[] = [
  root,
  ...healthResources,
  readProxies,
  changeProxy,
  readStores,
  readProcessors,
  changeProcessor,
  login,
  logout,
  openSession,
  readSession,
  closeSession,
  readUsers,
  addUser,
  readUser,
  changeUser,
  removeUser,
  readSessions,
  revokeSession,
  readRoles,
  readRole,
  assignRoles,
  readAudit,
  readApis,
  changeApi,
  readEndpoints,
  changeEndpoint,
  readSequences,
  changeSequence,
  readTemplates,
  changeTemplate,
  readInboundEndpoints,
  changeInboundEndpoint,
  readTasks,
  changeTask,
  readLocalEntries,
  readConnectors,
  changeConnector,
  readDataSources,
  readDataServices,
  readApplications,
  addApplication,
  removeApplication,
  readRegistry,
  readContent,
  addContent,
  changeContent,
  removeContent,
  readMetadata,
  readProperties,
  setProperties,
  removeProperty,
  readLogging,
  changeLogging,
  readLogs,
  readServer,
  endServer,
  readConfigs,
  changeConfigs,
  changeVault,
  readArtifacts,
  readSource,
  validateArtifact,
  putArtifact,
  deleteArtifact,
  readDeployments,
  readVersions,
  readDiff,
  rollBack,
  readConfigurationSettings,
  readOverview,
  browseMessages,
  readMessage,
  readFailures,
  resendMessage,
  moveMessage,
  deleteMessage,
  actOnMessages,
  purgeStore,
  exportStore,
  importStore,
  readJobs,
  readJob,
  cancelJob,
  scheduleResend,
  readScheduledResends,
  cancelScheduledResend,
  actOnProcessor,
  openApi(() => RESOURCES),
  ...metricsResources,
  readTraces,
  readTrace,
  forgetTraces,
  readTracing,
  changeTracing,
  readGraph,
  readGraphSvg,
  readGraphMermaid,
  readEvents,
  readLogsTail,
  readStoreHistory,
  postTestMessage,
  readWebHooks,
  tryWebHook,
  readTestMessages,
];
