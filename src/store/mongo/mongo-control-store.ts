import type { Db } from 'mongodb';
import type { ControlStore } from '../../contracts/control.ts';
import { MongoControlLog } from './mongo-control-log.ts';
import { MongoDeployments } from './mongo-deployments.ts';

/** Deployments, their decisions and their events in MongoDB. */
export function createMongoControlStore(db: Db): ControlStore {
  const deployments = new MongoDeployments(db);
  const log = new MongoControlLog(db);
  return {
    openDeployment: (record) => deployments.openDeployment(record),
    getDeployment: (name) => deployments.getDeployment(name),
    listDeployments: () => deployments.listDeployments(),
    deploymentHistory: (name) => deployments.deploymentHistory(name),
    closeDeployment: (name, end) => deployments.closeDeployment(name, end),
    recordPausedOwners: (name, owners) => deployments.recordPausedOwners(name, owners),
    writeDecision: (decision) => log.writeDecision(decision),
    completeDecision: (deployment, step, end) => log.completeDecision(deployment, step, end),
    getDecision: (deployment, step) => log.getDecision(deployment, step),
    latestDecision: (deployment) => log.latestDecision(deployment),
    readDecisions: (query) => log.readDecisions(query),
    addEvent: (event) => log.addEvent(event),
    listEvents: (deployment) => log.listEvents(deployment),
  };
}
